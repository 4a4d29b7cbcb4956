"""How many streams a person and a process may have open."""

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


class Seat:
    """A place that is taken until it is released."""

    def __init__(self, seats: "Seats", user: UserId) -> None:
        self._seats: Seats | None = seats
        self.user = user

    def release(self) -> None:
        seats, self._seats = self._seats, None
        if seats is not None:
            seats.give_back(self.user)


class Seats:
    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: Counter[UserId] = Counter()

    def taken(self) -> int:
        with self._lock:
            return self._taken.total()

    def take(self, user: UserId) -> Seat:
        """Raises TooManyStreamsError."""
        with self._lock:
            if self._taken[user] >= settings.PARLEY_MAX_STREAMS_PER_USER:
                raise TooManyStreamsError("You have too many event streams open.")
            if self._taken.total() >= settings.PARLEY_MAX_STREAMS:
                raise TooManyStreamsError("The server has too many streams open.")
            self._taken[user] += 1
            _OPEN.inc()
        return Seat(self, user)

    def give_back(self, user: UserId) -> None:
        with self._lock:
            self._taken[user] -= 1
            if not self._taken[user]:
                del self._taken[user]
            _OPEN.dec()


SEATS: Final = Seats()
