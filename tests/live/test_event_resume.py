"""Whatever is cut or killed, every event comes once and in order."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.live.at_once import People, clients, send, start_group
from tests.live.listening import Told, listening, logged
from tests.live.test_deletion import manage
from tests.live_server import LiveServer, served_database

AGE_EVENTS = """
from datetime import timedelta
from django.utils import timezone
from messaging.models import Event
Event.objects.update(created_at=timezone.now() - timedelta(days=2))
"""

Start = Callable[[int], LiveServer]


def told_of(told: Told) -> tuple[str, int]:
    """Which message it is about, by the sequence, which has no gaps."""
    outer = told.data.get("notification", told.data)
    assert isinstance(outer, dict)
    message = outer["message"]
    assert isinstance(message, dict)
    sequence = message["sequence"]
    assert isinstance(sequence, int)
    return told.type, sequence


def expected(messages: int) -> list[tuple[str, int]]:
    """What somebody is told of the messages that others send to a group."""
    return [
        (told, sequence)
        for sequence in range(1, messages + 1)
        for told in ("message.created", "notification.created")
    ]


def begin(client: httpx.Client) -> str:
    with listening(client) as told:
        ready = next(told)
    assert (ready.type, ready.id is None) == ("ready", False)
    return str(ready.id)


def write(sender: httpx.Client, conversation: int, number: int) -> None:
    for turn in range(number):
        send(sender, conversation, f"message {turn}")


def received_in_pieces(
    listeners: list[httpx.Client], start: str, wanted: int, sizes: Iterator[int]
) -> list[Told]:
    """The logged events of many streams, each cut after so many frames."""
    found: list[Told] = []
    cursor = start
    for number, size in enumerate(sizes):
        listener = listeners[number % len(listeners)]
        with listening(listener, cursor) as told:
            piece = logged(told)
            for _ in range(min(size, wanted - len(found))):
                found.append(next(piece))
                cursor = str(found[-1].id)
        if len(found) == wanted:
            break
    return found


def check_every_event_came_once(
    servers: LiveServer, people: People, *, messages: int, cuts: int
) -> None:
    ann, bob = clients(servers, people[0]), clients(servers, people[1])
    conversation = start_group(ann[0], people[1], people[2])
    cleo = clients(servers, people[2])
    start = begin(cleo[0])
    writers = [*ann, *bob]
    each = messages // len(writers)
    wanted = expected(each * len(writers))
    draw = random.Random(messages)
    # The last piece takes all that is left.
    pieces = [draw.randint(1, 2 * len(wanted) // cuts) for _ in range(cuts)]
    sizes = iter([*pieces, len(wanted)])
    with ThreadPoolExecutor(len(writers)) as pool:
        done = [pool.submit(write, one, conversation, each) for one in writers]
        found = received_in_pieces(cleo, start, len(wanted), sizes)
        for future in done:
            future.result()
    assert [told_of(told) for told in found] == wanted
    positions = [told.position for told in found]
    assert positions == sorted(set(positions))


@pytest.mark.django_db
def test_a_stream_cut_again_and_again_misses_nothing(
    servers: LiveServer, people: People
) -> None:
    check_every_event_came_once(servers, people, messages=240, cuts=40)


@pytest.mark.long
@pytest.mark.django_db
def test_a_stream_cut_two_hundred_times_misses_nothing(
    servers: LiveServer, people: People
) -> None:
    check_every_event_came_once(servers, people, messages=2502, cuts=200)


@pytest.mark.django_db
def test_a_server_that_is_killed_loses_no_event(
    live_server_processes: Start,
) -> None:
    server = live_server_processes(2)
    ann, bob = server.register("ann"), server.register("bob")
    writer, reader = server.client(1, ann), server.client(0, bob)
    conversation = start_group(writer, bob)
    start = begin(reader)
    write(writer, conversation, 5)
    found: list[Told] = []
    with suppress(httpx.HTTPError), listening(reader, start) as told:
        for each in logged(told):
            found.append(each)
            if len(found) == 3:
                server.kill(0)
                write(writer, conversation, 5)
    server.add_process()
    again = server.client(2, bob)
    with listening(again, str(found[-1].id)) as told:
        rest = logged(told)
        found += [next(rest) for _ in range(20 - len(found))]
    assert [told_of(told) for told in found] == expected(10)


@pytest.mark.django_db
def test_a_poll_misses_nothing_either(servers: LiveServer, people: People) -> None:
    ann, bob = clients(servers, people[0]), clients(servers, people[1])
    conversation = start_group(ann[0], people[1])
    first = bob[0].get("/events/poll").raise_for_status().json()
    assert first["items"] == []
    cursor = first["next_cursor"]
    found: list[Told] = []
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(write, ann[1], conversation, 30)
        while len(found) < 60:
            parameters = {"after": cursor, "limit": 7, "timeout": 30}
            page = bob[0].get("/events/poll", params=parameters).raise_for_status()
            found += [Told(item["type"], None, item) for item in page.json()["items"]]
            cursor = page.json()["next_cursor"]
        done.result()
    assert [told_of(told) for told in found] == expected(30)


@pytest.mark.django_db
def test_a_cursor_of_what_is_forgotten_is_reset(tmp_path: Path) -> None:
    with served_database(tmp_path) as environment:
        server = LiveServer.start(
            {**environment, "PARLEY_EVENT_RETENTION_DAYS": "1"}, processes=1
        )
        try:
            ann, bob = server.register("ann"), server.register("bob")
            writer, reader = server.client(0, ann), server.client(0, bob)
            conversation = start_group(writer, bob)
            start = begin(reader)
            write(writer, conversation, 1)
            manage(server, "shell", "--verbosity", "0", "--command", AGE_EVENTS)
            manage(server, "clear_expired", "--verbosity", "0")
            with listening(reader, start) as stream:
                told = logged(stream)
                reset = next(told)
                assert reset.type == "reset"
                write(writer, conversation, 1)
                after = [next(told) for _ in range(2)]
            assert [told_of(each) for each in after] == expected(2)[2:]
            page = reader.get("/events/poll", params={"after": start}).json()
            assert page["items"] == [{"type": "reset"}]
            with listening(reader, str(reset.id)) as stream:
                assert told_of(next(logged(stream))) == expected(2)[2]
        finally:
            server.stop()
