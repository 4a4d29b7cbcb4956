"""Presence is read by one thread and handed over by another: sent once, never missed."""

import asyncio
from collections.abc import Iterator

import pytest

from api.events import frames
from api.events.backlog import BacklogPage
from api.events.credentials import Credential
from api.events.streams import Stream
from api.events.typing_and_presence import PresenceWatch
from messaging.ids import Position, UserId
from messaging.models import Conversation, User
from messaging.services.events import Log
from messaging.services.presence import declare_present, withdraw_presence

Sent = list[tuple[frozenset[UserId], tuple[int, bool] | None]]


def ids(*people: User) -> frozenset[UserId]:
    return frozenset(UserId(person.pk) for person in people)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> PresenceWatch:
    """Of a process; it looks whenever it is asked to."""
    monkeypatch.setattr("api.events.typing_and_presence._PRESENCE_SECONDS", 0)
    return PresenceWatch("this one")


def sent_by(watch: PresenceWatch, *listeners: frozenset[UserId]) -> Sent:
    """To those who listen when it is first asked, and after."""
    asked: Iterator[frozenset[UserId]] = iter(listeners)
    last = listeners[-1]
    changes = watch.changes(lambda: next(asked, last))
    return [(each.recipients, each.frame.presence) for each in changes]


def test_presence_before_the_first_poll_is_sent(
    watch: PresenceWatch, group: Conversation, ann: User, bob: User
) -> None:
    declare_present(process="another", users=ids(ann))
    assert sent_by(watch, ids(bob)) == [(ids(bob), (ann.pk, True))]
    assert sent_by(watch, ids(bob)) == []


def test_a_listener_that_joins_during_a_poll_receives_presence(
    watch: PresenceWatch, group: Conversation, ann: User, bob: User
) -> None:
    assert sent_by(watch, ids()) == []
    declare_present(process="another", users=ids(ann))
    assert sent_by(watch, ids(), ids(bob)) == [(ids(bob), (ann.pk, True))]
    withdraw_presence(process="another")
    assert sent_by(watch, ids(), ids(bob)) == [(ids(bob), (ann.pk, False))]


def test_presence_that_is_read_and_handed_over_is_sent_once(ann: User) -> None:
    here, gone = (frames.presence(ann, online=online) for online in (True, False))

    async def nothing_logged(
        credential: Credential, log: Log, after: Position, limit: int
    ) -> BacklogPage:
        return BacklogPage([], log, after, complete=True)

    async def heard() -> bytes:
        log = Log(Position(0), Position(0), epoch=1)
        credential = Credential(UserId(0), None, None, "")
        stream = Stream(credential, log=log, reached=Position(0))
        assert stream.unseen([here]) == [here]
        for frame in (here, gone, gone, here, here):
            stream.offer(frame)
        return await anext(stream.chunks(nothing_logged))

    assert asyncio.run(heard()) == gone.sse + here.sse
