"""Who is there is read and handed, by two threads: told once, and never missed."""

import asyncio
from collections.abc import Iterator

import pytest

from api.events import frames
from api.events.catching_up import Caught
from api.events.ephemera import PresenceWatch
from api.events.streams import Credential, Stream
from messaging.ids import Position, UserId
from messaging.models import Conversation, User
from messaging.services.presence import declare_present, withdraw_presence

Told = list[tuple[frozenset[UserId], tuple[int, bool] | None]]


def ids(*people: User) -> frozenset[UserId]:
    return frozenset(UserId(person.pk) for person in people)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> PresenceWatch:
    """Of a process; it looks whenever it is asked to."""
    monkeypatch.setattr("api.events.ephemera._PRESENCE_SECONDS", 0)
    return PresenceWatch("this one")


def told(watch: PresenceWatch, *listeners: frozenset[UserId]) -> Told:
    """To those who listen when it is first asked, and after."""
    asked: Iterator[frozenset[UserId]] = iter(listeners)
    last = listeners[-1]
    changes = watch.changes(lambda: next(asked, last))
    return [(each.recipients, each.frame.presence) for each in changes]


def test_who_came_before_the_first_look_is_told_of(
    watch: PresenceWatch, group: Conversation, ann: User, bob: User
) -> None:
    declare_present(process="another", users=ids(ann))
    assert told(watch, ids(bob)) == [(ids(bob), (ann.pk, True))]
    assert told(watch, ids(bob)) == []


def test_whoever_begins_to_listen_during_a_look_is_told(
    watch: PresenceWatch, group: Conversation, ann: User, bob: User
) -> None:
    assert told(watch, ids()) == []
    declare_present(process="another", users=ids(ann))
    assert told(watch, ids(), ids(bob)) == [(ids(bob), (ann.pk, True))]
    withdraw_presence(process="another")
    assert told(watch, ids(), ids(bob)) == [(ids(bob), (ann.pk, False))]


def test_what_was_read_and_is_handed_too_is_told_once(ann: User) -> None:
    here, gone = (frames.presence(ann, online=online) for online in (True, False))

    async def nothing_logged(user: UserId, after: Position, limit: int) -> Caught:
        return Caught([], after, complete=True)

    async def heard() -> bytes:
        stream = Stream(Credential(UserId(0), None, None, ""), reached=Position(0))
        assert stream.untold([here]) == [here]
        for frame in (here, gone, gone, here, here):
            stream.offer(frame)
        return await anext(stream.chunks(nothing_logged))

    assert asyncio.run(heard()) == gone.sent + here.sent
