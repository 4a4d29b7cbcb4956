"""The one thread of a process that watches for what is new, for all its streams."""

import logging
import secrets
import threading
import time
from typing import Final, Protocol

from django.db import Error, connection
from typing_extensions import override

from api.events.ephemera import PresenceWatch, TypingWatch
from api.events.frames import Addressed, addressed
from api.events.streams import Credential
from messaging.ids import Position, UserId
from messaging.services.deliveries import deliver
from messaging.services.events import Log, events_after, read_log
from messaging.services.sessions import passwords_of_sessions
from messaging.services.tokens import those_held
from messaging.wakeups import open_channel

logger = logging.getLogger(__name__)

_BATCH: Final = 100
_LOOK_SECONDS: Final = 1.0
_CHECK_SECONDS: Final = 2.5


class Listeners(Protocol):
    """The streams of the process, as far as the watcher needs them; any thread's."""

    def users(self) -> frozenset[UserId]: ...

    def credentials(self) -> frozenset[Credential]: ...

    def tell(self, told: list[Addressed]) -> None: ...

    def start_over(self) -> None:
        """Something may have been missed: what was read last is not what comes next."""

    def sign_out(self, credentials: frozenset[Credential]) -> None: ...


class Watcher(threading.Thread):
    """Reads the log once for all listeners; sleeps while there are none."""

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
        """There are listeners."""
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
                logger.warning("events cannot be read: %s", type(error).__name__)
                connection.close()
                self._stopping.wait(_LOOK_SECONDS)
            except Exception:
                # A thread that ended would leave every stream deaf, and nobody would
                # know. Each finds in the log what was to be told.
                logger.exception("Events cannot be told.")
                self._log = None
                self._stopping.wait(_LOOK_SECONDS)
        self._leave()
        channel.close()

    def _sleep(self) -> None:
        self._log = None
        # Nobody was told of those: who comes next is.
        self._typing = TypingWatch()
        connection.close()
        self._wanted.clear()
        # Somebody may have come in between, or asked to stop.
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
        self._listeners.tell(self._typing.changes(self._listeners.users()))
        self._listeners.tell(self._presence.changes(self._listeners.users))
        self._check_credentials()

    def _start(self) -> Log:
        self._log = log = read_log()
        self._position = log.clock
        self._listeners.start_over()
        return log

    def _read_log(self, log: Log) -> None:
        while events := events_after(self._position, limit=_BATCH):
            # Asked after reading: whoever comes later finds these in the log.
            audience = self._listeners.users()
            told = deliver(events, audience=audience)
            self._listeners.tell(addressed(told, log))
            self._position = Position(events[-1].position)

    def _check_credentials(self) -> None:
        """Find out who was signed out, suspended or deleted; two queries for all."""
        if time.monotonic() < self._checked + _CHECK_SECONDS:
            return
        used = self._listeners.credentials()
        held = those_held(
            token_ids={one.token for one in used if one.token is not None}
        )
        passwords = passwords_of_sessions(
            keys={one.session for one in used if one.session is not None}
        )
        self._listeners.sign_out(
            frozenset(
                one
                for one in used
                if (
                    one.token not in held
                    if one.token is not None
                    else passwords.get(one.session or "") != one.password
                )
            )
        )
        self._checked = time.monotonic()
