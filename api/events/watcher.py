"""The watcher: one thread per process that reads the event log for all its streams."""

import logging
import secrets
import threading
import time
from collections.abc import Sequence
from typing import Final, Protocol

from django.db import Error, connection
from typing_extensions import override

from api.events.credentials import Credential, ended_credentials
from api.events.frames import AddressedFrame, addressed
from api.events.typing_and_presence import PresenceWatch, TypingWatch
from messaging.ids import Position, UserId
from messaging.models import Event
from messaging.models.events import EventType
from messaging.services.deliveries import deliver
from messaging.services.events import Log, events_after, read_log
from messaging.wakeups import open_channel

logger = logging.getLogger(__name__)

_BATCH: Final = 100
_LOOK_SECONDS: Final = 1.0
# How long a stream may stay open after its token or session has expired.
_CHECK_SECONDS: Final = 2.5


class Listeners(Protocol):
    """The process's open streams, as the watcher uses them; all methods are thread-safe."""

    def users(self) -> frozenset[UserId]: ...

    def credentials(self) -> frozenset[Credential]: ...

    def send(self, outgoing: list[AddressedFrame]) -> None: ...

    def reread_log(self) -> None:
        """Let all streams read their backlog: the watcher may have missed events.

        Those whose position belongs to a log that was replaced find that out by it.
        """

    def sign_out(self, credentials: frozenset[Credential]) -> None: ...


class Watcher(threading.Thread):
    """Reads each event once for all listeners; sleeps while there is none."""

    def __init__(self, listeners: Listeners) -> None:
        super().__init__(name="parley-watcher", daemon=True)
        self._listeners = listeners
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._log: Log | None = None
        self._position = Position(0)
        self._typing = TypingWatch()
        self._presence = PresenceWatch(secrets.token_hex(8))
        self._checked = 0.0

    def wake(self) -> None:
        """Wake the thread, after a listener was added."""
        self._wanted.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wanted.set()

    @override
    def run(self) -> None:
        channel = open_channel()
        while not self._stopping.is_set():
            try:
                if not (self._listeners.users() or self._presence.declared):
                    channel.close()
                    self._sleep()
                else:
                    self._look()
                    channel.wait(_LOOK_SECONDS)
            except Error as error:
                # The database may be restarting: try again, with a new connection.
                logger.warning("events cannot be read: %s", type(error).__name__)
                connection.close()
                self._stopping.wait(_LOOK_SECONDS)
            except Exception:
                # The thread must survive: without it every stream would be silent, and
                # nobody would notice. Setting `_log` to None makes all streams read
                # from the log what they missed.
                logger.exception("Events cannot be delivered.")
                self._log = None
                self._stopping.wait(_LOOK_SECONDS)
        self._leave()
        channel.close()

    def _sleep(self) -> None:
        self._log = None
        # Forget the known state, so that the next listener gets typing indicators
        # afresh.
        self._typing = TypingWatch()
        connection.close()
        self._wanted.clear()
        # A listener may have been added, or a stop requested, after the caller's check
        # and before `clear()`.
        if not (self._listeners.users() or self._stopping.is_set()):
            self._wanted.wait()

    def _leave(self) -> None:
        try:
            self._presence.withdraw()
        except Error as error:
            logger.warning("presence was not withdrawn: %s", type(error).__name__)
        connection.close()

    def _look(self) -> None:
        self._read_log(self._log or self._start())
        self._listeners.send(self._typing.changes(self._listeners.users()))
        self._listeners.send(self._presence.changes(self._listeners.users))
        self._check_all()

    def _start(self) -> Log:
        self._log = log = read_log()
        # Only new events: streams read older ones from the log by themselves.
        self._position = log.clock
        self._listeners.reread_log()
        # After the position: what ended before it is told by no event that is read.
        self._check(self._listeners.credentials())
        return log

    def _read_log(self, log: Log) -> None:
        while events := events_after(self._position, limit=_BATCH):
            if read_log().epoch != log.epoch:
                # Their positions are of another log.
                self._start()
                return
            self._end_access(events)
            # Ask for the listeners after reading the events: a stream that opens later
            # finds these events in the log.
            audience = self._listeners.users()
            deliveries = deliver(events, audience=audience)
            self._listeners.send(addressed(deliveries, log))
            self._position = events[-1].place

    def _end_access(self, events: Sequence[Event]) -> None:
        """Close streams whose credential ended, before any of these events is sent to them."""
        whose = {
            event.recipient_id
            for event in events
            if event.type == EventType.ACCESS_ENDED
        }
        if whose:
            used = self._listeners.credentials()
            # The event for a deleted account names no user: check all streams.
            unnamed = None in whose
            self._check(frozenset(one for one in used if unnamed or one.user in whose))

    def _check_all(self) -> None:
        """Check for changes without an event: another log, expired tokens and sessions."""
        if time.monotonic() < self._checked + _CHECK_SECONDS:
            return
        self._check_log()
        self._check(self._listeners.credentials())
        self._checked = time.monotonic()

    def _check_log(self) -> None:
        """Start again if the epoch changed: by a restore or a failover."""
        if self._log is None or read_log().epoch != self._log.epoch:
            self._start()

    def _check(self, used: frozenset[Credential]) -> None:
        """Close the streams of users who were signed out, suspended or deleted."""
        self._listeners.sign_out(ended_credentials(used))
