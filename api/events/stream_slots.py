"""Slots for event streams: a limit per user and per process."""

from collections import Counter
from threading import Lock
from typing import Final

from django.conf import settings
from prometheus_client import Gauge

from messaging.errors import TooManyStreamsError
from messaging.ids import UserId

_OPEN: Final = Gauge(
    "parley_open_streams",
    "Event streams and waiting polls.",
    multiprocess_mode="livesum",
)


class StreamSlot:
    """The slot of one open stream; `release` is idempotent."""

    def __init__(self, slots: "StreamSlots", user: UserId) -> None:
        self._slots: StreamSlots | None = slots
        self.user = user

    def release(self) -> None:
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.give_back(self.user)


class StreamSlots:
    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: Counter[UserId] = Counter()

    def taken(self) -> int:
        with self._lock:
            return self._taken.total()

    def take(self, user: UserId) -> StreamSlot:
        """Take a slot for a new stream.

        Raises:
            TooManyStreamsError: the user or the process has no slot left.
        """
        with self._lock:
            if self._taken[user] >= settings.PARLEY_MAX_STREAMS_PER_USER:
                raise TooManyStreamsError("You have too many event streams open.")
            if self._taken.total() >= settings.PARLEY_MAX_STREAMS:
                raise TooManyStreamsError("The server has too many streams open.")
            self._taken[user] += 1
            _OPEN.inc()
        return StreamSlot(self, user)

    def give_back(self, user: UserId) -> None:
        with self._lock:
            self._taken[user] -= 1
            if not self._taken[user]:
                del self._taken[user]
            _OPEN.dec()


STREAM_SLOTS: Final = StreamSlots()
