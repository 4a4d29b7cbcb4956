"""What an id or a name in a path may be."""

from messaging.ids import MAX_ID
from messaging.models.users import USERNAME_PATTERN


class IdConverter:
    """From 1 to the largest either database can hold; anything else is no page."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if not 1 <= number <= MAX_ID:
            raise ValueError
        return number

    def to_url(self, value: int) -> str:
        return str(value)


class NameConverter:
    """Of the form that usernames have; what a database cannot be asked for is no page."""

    regex = USERNAME_PATTERN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
