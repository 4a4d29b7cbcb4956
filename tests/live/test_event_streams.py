"""Streams: when they end, how many there may be, and what they send while they last."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.live.concurrent_calls import People, clients, send, start_group
from tests.live.event_stream import ReceivedEvent, logged, open_stream, until
from tests.live.expected_events import (
    Start,
    current_cursor,
    expected_events,
    type_and_sequence,
)
from tests.live_server import PASSWORD, LiveServer, Person, served_database
from tests.metrics import value


def types(received: list[ReceivedEvent]) -> list[str]:
    return [each.type for each in received]


def fresh(servers: LiveServer, name: str) -> tuple[Person, httpx.Client]:
    person = servers.register(name)
    return person, servers.client(0, person)


def rest_of(received: Iterator[ReceivedEvent]) -> list[str]:
    """Until the server closes the stream."""
    return [each.type for each in logged(received)]


@pytest.mark.django_db
def test_a_write_of_one_process_is_streamed_by_another(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0])[1], clients(servers, people[1])[2]
    conversation = start_group(ann, people[1])
    with open_stream(bob) as stream:
        received = logged(stream)
        assert next(received).type == "ready"
        message = send(ann, conversation, "hello")
        created, notified = next(received), next(received)
        assert created.data["message"] == ann.get(f"/messages/{message}").json()
        assert notified.type == "notification.created"
        ann.delete(f"/messages/{message}").raise_for_status()
        [deleted] = until(received, "message.deleted")
        assert (deleted.data["message_id"], deleted.data["message"]) == (message, None)


@pytest.mark.django_db
def test_a_reconnection_goes_on_after_the_last_event_whatever_its_address_says(
    servers: LiveServer, people: People
) -> None:
    ann = servers.client(0, people[0])
    conversation = start_group(ann, people[1])
    start = current_cursor(ann)
    for content in ("one", "two"):
        send(ann, conversation, content)
    # As a browser's EventSource does: always the address it was made with.
    address = f"/events?after={start}"
    with open_stream(ann, address=address) as stream:
        one = next(logged(stream))
        assert type_and_sequence(one) == ("message.created", 1)
    with open_stream(ann, one.id, address=address) as stream:
        assert type_and_sequence(next(logged(stream))) == ("message.created", 2)


@pytest.mark.django_db
def test_a_revoked_token_closes_its_stream(servers: LiveServer) -> None:
    _, client = fresh(servers, "revoked")
    with open_stream(client) as received:
        assert next(received).type == "ready"
        client.delete("/auth/tokens/current").raise_for_status()
        assert rest_of(received) == []


@pytest.mark.django_db
def test_another_password_closes_all_other_streams(servers: LiveServer) -> None:
    person, client = fresh(servers, "changing")
    other = servers.client(
        1,
        Person(
            person.username,
            client.post(
                "/auth/tokens",
                json={"username": person.username, "password": PASSWORD},
            ).json()["token"],
        ),
    )
    with open_stream(other) as received:
        assert next(received).type == "ready"
        new = {"current_password": PASSWORD, "new_password": f"new {PASSWORD}"}
        client.put("/me/password", json=new).raise_for_status()
        assert rest_of(received) == []


@pytest.mark.django_db
def test_a_deleted_account_closes_its_stream(servers: LiveServer) -> None:
    _, client = fresh(servers, "deleted")
    with open_stream(client) as received:
        assert next(received).type == "ready"
        client.request("DELETE", "/me", json={"password": PASSWORD}).raise_for_status()
        assert rest_of(received) == []


@pytest.mark.django_db
def test_leaving_a_group_ends_its_events(servers: LiveServer, people: People) -> None:
    person, client = fresh(servers, "leaver")
    ann = clients(servers, people[0])[1]
    conversation, other = start_group(ann, person), start_group(ann, person)
    with open_stream(client) as stream:
        received = logged(stream)
        assert next(received).type == "ready"
        participant_url = (
            f"/conversations/{conversation}/participants/{person.username}"
        )
        client.delete(participant_url).raise_for_status()
        send(ann, conversation, "among us")
        send(ann, other, "hello")
        assert types(until(received, "notification.created")) == [
            "participant.removed",
            "message.created",
            "notification.created",
        ]


@pytest.mark.django_db
def test_typing_is_shown_to_the_others_and_ends(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0])[1], clients(servers, people[1])[2]
    conversation = start_group(ann, people[1])
    with open_stream(bob) as received:
        assert next(received).type == "ready"
        ann.put(f"/conversations/{conversation}/typing").raise_for_status()
        begun, ended = until(received, "typing")[-1], until(received, "typing")[-1]
        assert (begun.id, begun.data["conversation_id"]) == (None, conversation)
        assert (begun.data["typing"], ended.data["typing"]) == (True, False)


@pytest.mark.django_db
def test_nobody_sees_typing_through_a_block(servers: LiveServer) -> None:
    ann, writer = fresh(servers, "ann")
    bob, reader = fresh(servers, "bob")
    body = {"receiver": bob.username, "content": "hello"}
    message = writer.post("/messages", json=body).raise_for_status().json()
    reader.put(f"/blocks/{ann.username}").raise_for_status()
    with open_stream(reader) as received:
        assert next(received).type == "ready"
        path = f"/conversations/{message['conversation_id']}"
        writer.put(f"{path}/typing").raise_for_status()
        reader.put(f"{path}/mute").raise_for_status()
        assert types(until(received, "conversation.updated")) == [
            "conversation.updated"
        ]


@pytest.mark.django_db
def test_presence_comes_and_goes(servers: LiveServer) -> None:
    _, here = fresh(servers, "ann")
    bob, there = fresh(servers, "bob")
    start_group(here, bob)
    with open_stream(here) as received:
        assert next(received).type == "ready"
        with open_stream(there) as theirs:
            assert next(theirs).type == "ready"
            [came] = until(received, "presence")
            [met] = until(theirs, "presence")
        [went] = until(received, "presence")
    assert [each.data["online"] for each in (came, met, went)] == [True, True, False]
    assert (came.id, went.id) == (None, None)


@pytest.mark.django_db
def test_too_many_streams_are_refused_until_one_ends(tmp_path: Path) -> None:
    with served_database(tmp_path) as environment:
        limits = {"PARLEY_MAX_STREAMS_PER_USER": "2", "PARLEY_MAX_STREAMS": "3"}
        server = LiveServer.start({**environment, **limits}, processes=1)
        try:
            _, ann = fresh(server, "ann")
            _, bob = fresh(server, "bob")
            with ExitStack() as open_streams:
                # One that is dropped would close.
                kept = [
                    open_streams.enter_context(open_stream(client))
                    for client in (ann, ann, bob)
                ]
                assert [next(received).type for received in kept] == ["ready"] * 3
                for client in (ann, bob):
                    refused = client.get("/events")
                    assert refused.status_code == 429
                    assert refused.json()["code"] == "too_many_streams"
                    assert int(refused.headers["Retry-After"]) > 0
                text = httpx.get(f"{server.urls[0]}/metrics").text
                assert value(text, "parley_open_streams") == 3
            while _refused(ann):
                pass
        finally:
            server.stop()


def _refused(client: httpx.Client) -> bool:
    with client.stream("GET", "/events") as response:
        return response.status_code == 429


@pytest.mark.slow
@pytest.mark.django_db
def test_a_stopping_server_sends_its_streams_elsewhere(
    live_server_processes: Start,
) -> None:
    server = live_server_processes(1)
    _, client = fresh(server, "ann")
    cursor = client.get("/events/poll").json()["next_cursor"]
    waiting = {"after": cursor, "timeout": 60}
    with ThreadPoolExecutor(1) as pool, open_stream(client) as received:
        assert next(received).type == "ready"
        poll = pool.submit(server.client(0, _).get, "/events/poll", params=waiting)
        while (
            value(httpx.get(f"{server.urls[0]}/metrics").text, "parley_open_streams")
            < 2
        ):
            pass
        server.processes[0].terminate()
        assert rest_of(received) == ["reconnect"]
        assert poll.result().json()["items"] == []


@pytest.mark.slow
@pytest.mark.django_db
def test_a_slow_stream_gets_all_events_and_delays_nobody(
    servers: LiveServer, people: People
) -> None:
    """More than the buffers between hold: the stream falls behind and catches up."""
    ann, bob = clients(servers, people[0]), clients(servers, people[1])
    conversation = start_group(ann[0], people[1], people[2])
    slow = _deaf_listener(servers, people[2])
    start = current_cursor(bob[0])
    messages = 300
    # Four bytes a character.
    body = {"content": "\N{SLIGHTLY SMILING FACE}" * 5000}
    for _ in range(messages):
        ann[0].post(f"/conversations/{conversation}/messages", json=body)
    with open_stream(bob[0], start) as stream:
        received = logged(stream)
        found = [type_and_sequence(next(received)) for _ in range(2 * messages)]
    assert found == expected_events(messages)
    with slow, slow.makefile("rb") as lines:
        heard = 0
        for line in lines:
            heard += line.startswith(b"event: message.created")
            if heard == messages:
                break
    assert heard == messages


def _deaf_listener(servers: LiveServer, person: Person) -> socket.socket:
    """One that has asked for a stream, and reads nothing of it for now."""
    address = urlsplit(servers.urls[0])
    listener = socket.create_connection((address.hostname, address.port), timeout=60)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    listener.sendall(
        b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Authorization: Bearer %b\r\n\r\n" % person.token.encode()
    )
    while b"ready" not in listener.recv(4096):
        pass
    return listener
