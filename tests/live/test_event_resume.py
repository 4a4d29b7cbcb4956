"""After cut streams and killed servers every event arrives once and in order."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.live.concurrent_calls import People, clients, manage, start_group
from tests.live.event_stream import ReceivedEvent, logged, open_stream
from tests.live.expected_events import (
    Start,
    current_cursor,
    expected_events,
    type_and_sequence,
    write,
)
from tests.live_server import LiveServer, served_database

AGE_EVENTS = """
from datetime import timedelta
from django.db.models import QuerySet
from django.utils import timezone
from messaging.models import Event
QuerySet(Event).update(created_at=timezone.now() - timedelta(days=2))
"""


def received_in_pieces(
    listeners: list[httpx.Client], start: str, wanted: int, sizes: Iterator[int]
) -> list[ReceivedEvent]:
    """The logged events of many streams, each cut after so many frames."""
    found: list[ReceivedEvent] = []
    cursor = start
    for number, size in enumerate(sizes):
        listener = listeners[number % len(listeners)]
        with open_stream(listener, cursor) as received:
            piece = logged(received)
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
    start = current_cursor(cleo[0])
    writers = [*ann, *bob]
    each = messages // len(writers)
    wanted = expected_events(each * len(writers))
    draw = random.Random(messages)
    # The last piece takes all that is left.
    pieces = [draw.randint(1, 2 * len(wanted) // cuts) for _ in range(cuts)]
    sizes = iter([*pieces, len(wanted)])
    with ThreadPoolExecutor(len(writers)) as pool:
        done = [pool.submit(write, one, conversation, each) for one in writers]
        found = received_in_pieces(cleo, start, len(wanted), sizes)
        for future in done:
            future.result()
    assert [type_and_sequence(received) for received in found] == wanted
    positions = [received.position for received in found]
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
    start = current_cursor(reader)
    write(writer, conversation, 5)
    found: list[ReceivedEvent] = []
    with suppress(httpx.HTTPError), open_stream(reader, start) as received:
        for each in logged(received):
            found.append(each)
            if len(found) == 3:
                server.kill(0)
                write(writer, conversation, 5)
    server.add_process()
    again = server.client(2, bob)
    with open_stream(again, str(found[-1].id)) as received:
        rest = logged(received)
        found += [next(rest) for _ in range(20 - len(found))]
    assert [type_and_sequence(received) for received in found] == expected_events(10)


@pytest.mark.django_db
def test_a_poll_misses_nothing_either(servers: LiveServer, people: People) -> None:
    ann, bob = clients(servers, people[0]), clients(servers, people[1])
    conversation = start_group(ann[0], people[1])
    first = bob[0].get("/events/poll").raise_for_status().json()
    assert first["items"] == []
    cursor = first["next_cursor"]
    found: list[ReceivedEvent] = []
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(write, ann[1], conversation, 30)
        while len(found) < 60:
            parameters = {"after": cursor, "limit": 7, "timeout": 30}
            page = bob[0].get("/events/poll", params=parameters).raise_for_status()
            found += [
                ReceivedEvent(item["type"], None, item) for item in page.json()["items"]
            ]
            cursor = page.json()["next_cursor"]
        done.result()
    assert [type_and_sequence(received) for received in found] == expected_events(30)


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
            start = current_cursor(reader)
            write(writer, conversation, 1)
            manage(server, "shell", "--verbosity", "0", "--command", AGE_EVENTS)
            manage(server, "clear_expired", "--verbosity", "0")
            with open_stream(reader, start) as stream:
                received = logged(stream)
                reset = next(received)
                assert reset.type == "reset"
                write(writer, conversation, 1)
                after = [next(received) for _ in range(2)]
            assert [type_and_sequence(each) for each in after] == expected_events(2)[2:]
            page = reader.get("/events/poll", params={"after": start}).json()
            assert page["items"] == [{"type": "reset"}]
            with open_stream(reader, str(reset.id)) as stream:
                assert type_and_sequence(next(logged(stream))) == expected_events(2)[2]
        finally:
            server.stop()
