"""The thread that watches for all streams: nothing but being stopped ends it."""

import logging
from dataclasses import dataclass, field
from threading import Event

import pytest
from typing_extensions import override

from api.events.frames import Addressed
from api.events.streams import Credential
from api.events.watcher import Watcher
from messaging.ids import UserId

PATIENCE = 60


@dataclass
class Nobody:
    """No streams."""

    asked: Event = field(default_factory=Event)

    def users(self) -> frozenset[UserId]:
        self.asked.set()
        return frozenset()

    def credentials(self) -> frozenset[Credential]:
        return frozenset()

    def tell(self, told: list[Addressed]) -> None: ...

    def start_over(self) -> None: ...

    def sign_out(self, credentials: frozenset[Credential]) -> None: ...


class FaultyOnce(Nobody):
    faults = 0

    @override
    def users(self) -> frozenset[UserId]:
        if not self.faults:
            self.faults += 1
            raise RuntimeError
        return super().users()


class StoppedMeanwhile(Nobody):
    """Asks to stop once the watcher has made up its mind to sleep."""

    watcher: Watcher

    @override
    def users(self) -> frozenset[UserId]:
        if not self.asked.is_set():
            self.watcher.stop()
        return super().users()


def test_what_nobody_foresaw_is_logged_and_survived(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listeners = FaultyOnce()
    watcher = Watcher(listeners)
    with caplog.at_level(logging.ERROR):
        watcher.start()
        went_on = listeners.asked.wait(PATIENCE)
        watcher.stop()
        watcher.join(PATIENCE)
    assert went_on
    assert not watcher.is_alive()
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_it_stops_however_close_to_falling_asleep() -> None:
    listeners = StoppedMeanwhile()
    listeners.watcher = watcher = Watcher(listeners)
    watcher.start()
    watcher.join(PATIENCE)
    assert not watcher.is_alive()
