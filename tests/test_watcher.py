"""The watcher thread of all streams runs until it is stopped, whatever fails."""

import logging
from dataclasses import dataclass, field
from threading import Event

import pytest
from typing_extensions import override

from api.events.credentials import Credential
from api.events.frames import AddressedFrame
from api.events.watcher import Watcher
from messaging.ids import TokenId, UserId

TIMEOUT = 60


@dataclass
class Nobody:
    """No streams."""

    asked: Event = field(default_factory=Event)

    def users(self) -> frozenset[UserId]:
        self.asked.set()
        return frozenset()

    def credentials(self) -> frozenset[Credential]:
        return frozenset()

    def send(self, outgoing: list[AddressedFrame]) -> None: ...

    def reread_log(self) -> None: ...

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


class SignedOutBefore(Nobody):
    """A stream whose token was revoked before the watcher reads the log."""

    watcher: Watcher

    def __init__(self) -> None:
        super().__init__()
        self.credential = Credential(UserId(1), TokenId(1), None, "")
        self.told: list[str] = []

    @override
    def users(self) -> frozenset[UserId]:
        return frozenset({self.credential.user})

    @override
    def credentials(self) -> frozenset[Credential]:
        return frozenset({self.credential})

    @override
    def send(self, outgoing: list[AddressedFrame]) -> None:
        self.told.append("sent")
        self.watcher.stop()

    @override
    def sign_out(self, credentials: frozenset[Credential]) -> None:
        assert credentials == self.credentials()
        self.told.append("signed out")


@pytest.mark.django_db(transaction=True)
def test_who_was_signed_out_before_the_log_is_read_is_sent_nothing() -> None:
    listeners = SignedOutBefore()
    listeners.watcher = watcher = Watcher(listeners)
    watcher.start()
    watcher.join(TIMEOUT)
    assert not watcher.is_alive()
    assert listeners.told[:2] == ["signed out", "sent"]


def test_an_unexpected_exception_is_logged_and_survived(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listeners = FaultyOnce()
    watcher = Watcher(listeners)
    with caplog.at_level(logging.ERROR):
        watcher.start()
        went_on = listeners.asked.wait(TIMEOUT)
        watcher.stop()
        watcher.join(TIMEOUT)
    assert went_on
    assert not watcher.is_alive()
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_the_watcher_stops_even_just_before_it_sleeps() -> None:
    listeners = StoppedMeanwhile()
    listeners.watcher = watcher = Watcher(listeners)
    watcher.start()
    watcher.join(TIMEOUT)
    assert not watcher.is_alive()
