"""Path converters for ids and names."""

from messaging.ids import MAX_ID
from messaging.models.users import USERNAME_PATTERN


class IdConverter:
    """From 1 to the largest id that both databases can store; anything else is a 404."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if not 1 <= number <= MAX_ID:
            raise ValueError
        return number

    def to_url(self, value: int) -> str:
        return str(value)


class NameConverter:
    """Text of the form of a username; anything else is a 404, without a query."""

    regex = USERNAME_PATTERN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
