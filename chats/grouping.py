"""Which messages are shown under one name, in conversations and in threads."""

from datetime import UTC, timedelta
from typing import Final

from messaging.projections import MessageProjection

_WITHIN: Final = timedelta(minutes=5)


def goes_on(before: MessageProjection, message: MessageProjection) -> bool:
    """Whether the same sender writes on, on the same day (UTC) and within five minutes."""
    days = [each.timestamp.astimezone(UTC).date() for each in (before, message)]
    return (
        not message.deleted
        and before.sender_id == message.sender_id
        and days[0] == days[1]
        # Timestamps of imported messages may go backwards.
        and timedelta(0) <= message.timestamp - before.timestamp < _WITHIN
    )
