"""Events of the live server, over connections that break."""

from typing import Final

import anyio
import pytest

from parley_client import (
    AsyncMessageCreated,
    AsyncParley,
    Event,
    MessageCreated,
    Parley,
    Ready,
    TypingChanged,
)
from tests.client.conftest import SignIn
from tests.client.relay import relay
from tests.contract.document import operations
from tests.live_server import LiveServer, Person

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        "events_stream" not in {operation.id for operation in operations()},
        reason="The server tells of no events yet.",
    ),
]

MESSAGES: Final = 30


def contents(events: list[Event]) -> list[str]:
    return [e.message.content for e in events if isinstance(e, MessageCreated)]


def test_a_stream_that_is_cut_again_and_again_misses_and_doubles_nothing(
    server: LiveServer, sign_in: SignIn, ann: Person, bob: Person
) -> None:
    conversation = sign_in(ann).conversations.start(bob.username)
    received: list[Event] = []
    with (
        relay(server.urls[0]) as connections,
        Parley(connections.url, token=bob.token) as parley,
        parley.events() as events,
    ):
        assert isinstance(next(events), Ready)
        for number in range(MESSAGES):
            conversation.send(f"{number}")
            if number % 3 == 0:
                connections.cut()
        for event in events:
            received.append(event)
            if len(contents(received)) % 7 == 0:
                connections.cut()
            if len(contents(received)) == MESSAGES:
                break
    assert contents(received) == [f"{number}" for number in range(MESSAGES)]


def test_a_message_in_an_event_is_replied_to(
    sign_in: SignIn, ann: Person, bob: Person
) -> None:
    hello = sign_in(ann).messages.send(bob.username, "hello")
    with sign_in(bob).events() as events:
        next(events)
        sign_in(ann).messages.get(hello.id).reply("are you there?")
        for event in events:
            match event:
                case MessageCreated(message=message):
                    assert message.reply("yes").parent_message_id == message.id
                    break
                case _:
                    pass


def test_typing_events_are_received(sign_in: SignIn, ann: Person, bob: Person) -> None:
    conversation = sign_in(ann).conversations.start(bob.username)
    with sign_in(bob).events() as events:
        next(events)
        conversation.typing()
        typing = next(event for event in events if isinstance(event, TypingChanged))
    assert (typing.user.username, typing.typing) == (ann.username, True)
    assert typing.conversation_id == conversation.id


def test_polling_goes_on_where_it_was(
    sign_in: SignIn, ann: Person, bob: Person
) -> None:
    conversation = sign_in(ann).conversations.start(bob.username)
    polling = sign_in(bob)
    start = polling.poll_events()
    assert list(start.items) == []
    conversation.send("one")
    conversation.send("two")
    received: list[Event] = []
    cursor = start.next_cursor
    while len(contents(received)) < 2:
        page = polling.poll_events(after=cursor, timeout=20, limit=1)
        received += page.items
        cursor = page.next_cursor
    assert contents(received) == ["one", "two"]
    rest = polling.poll_events(after=cursor, timeout=1)
    assert contents(list(rest.items)) == []


def test_the_asynchronous_client_listens_and_writes_at_once(
    server: LiveServer, ann: Person, bob: Person
) -> None:
    async def talk() -> list[str]:
        heard: list[str] = []
        async with (
            AsyncParley(server.urls[0], token=ann.token) as writer,
            AsyncParley(server.urls[1], token=bob.token) as reader,
            reader.events() as events,
        ):
            await anext(events)
            conversation = await writer.conversations.start(bob.username)
            async with anyio.create_task_group() as tasks:
                for number in range(5):
                    tasks.start_soon(conversation.send, f"{number}")
                async for event in events:
                    if isinstance(event, AsyncMessageCreated):
                        heard.append(event.message.content)
                    if len(heard) == 5:
                        break
        return heard

    assert sorted(anyio.run(talk)) == [f"{number}" for number in range(5)]
