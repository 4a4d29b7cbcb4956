"""Streams: when they end, how many there may be, and what they tell while they last."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.test_metrics import value
from tests.live.at_once import People, clients, send, start_group
from tests.live.listening import Told, listening, logged, until
from tests.live.test_event_resume import Start, begin, expected, told_of, write
from tests.live_server import PASSWORD, LiveServer, Person, served_database


def types(told: list[Told]) -> list[str]:
    return [each.type for each in told]


def fresh(servers: LiveServer, name: str) -> tuple[Person, httpx.Client]:
    person = servers.register(name)
    return person, servers.client(0, person)


def rest_of(told: Iterator[Told]) -> list[str]:
    """Until the server closes the stream."""
    return [each.type for each in logged(told)]


@pytest.mark.django_db
def test_what_one_process_writes_another_tells(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0])[1], clients(servers, people[1])[2]
    conversation = start_group(ann, people[1])
    with listening(bob) as stream:
        told = logged(stream)
        assert next(told).type == "ready"
        message = send(ann, conversation, "hello")
        created, notified = next(told), next(told)
        assert created.data["message"] == ann.get(f"/messages/{message}").json()
        assert notified.type == "notification.created"
        ann.delete(f"/messages/{message}").raise_for_status()
        [deleted] = until(told, "message.deleted")
        assert (deleted.data["message_id"], deleted.data["message"]) == (message, None)


@pytest.mark.django_db
def test_a_reconnection_goes_on_after_the_last_event_whatever_its_address_says(
    servers: LiveServer, people: People
) -> None:
    ann = servers.client(0, people[0])
    conversation = start_group(ann, people[1])
    start = begin(ann)
    for content in ("one", "two"):
        send(ann, conversation, content)
    # As a browser's EventSource does: always the address it was made with.
    address = f"/events?after={start}"
    with listening(ann, address=address) as stream:
        one = next(logged(stream))
        assert told_of(one) == ("message.created", 1)
    with listening(ann, one.id, address=address) as stream:
        assert told_of(next(logged(stream))) == ("message.created", 2)


@pytest.mark.django_db
def test_a_revoked_token_closes_its_stream(servers: LiveServer) -> None:
    _, client = fresh(servers, "revoked")
    with listening(client) as told:
        assert next(told).type == "ready"
        client.delete("/auth/tokens/current").raise_for_status()
        assert rest_of(told) == []


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
    with listening(other) as told:
        assert next(told).type == "ready"
        new = {"current_password": PASSWORD, "new_password": f"new {PASSWORD}"}
        client.put("/me/password", json=new).raise_for_status()
        assert rest_of(told) == []


@pytest.mark.django_db
def test_a_deleted_account_closes_its_stream(servers: LiveServer) -> None:
    _, client = fresh(servers, "deleted")
    with listening(client) as told:
        assert next(told).type == "ready"
        client.request("DELETE", "/me", json={"password": PASSWORD}).raise_for_status()
        assert rest_of(told) == []


@pytest.mark.django_db
def test_leaving_ends_what_one_is_told(servers: LiveServer, people: People) -> None:
    person, client = fresh(servers, "leaver")
    ann = clients(servers, people[0])[1]
    conversation, other = start_group(ann, person), start_group(ann, person)
    with listening(client) as stream:
        told = logged(stream)
        assert next(told).type == "ready"
        seat = f"/conversations/{conversation}/participants/{person.username}"
        client.delete(seat).raise_for_status()
        send(ann, conversation, "among us")
        send(ann, other, "hello")
        assert types(until(told, "notification.created")) == [
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
    with listening(bob) as told:
        assert next(told).type == "ready"
        ann.put(f"/conversations/{conversation}/typing").raise_for_status()
        begun, ended = until(told, "typing")[-1], until(told, "typing")[-1]
        assert (begun.id, begun.data["conversation_id"]) == (None, conversation)
        assert (begun.data["typing"], ended.data["typing"]) == (True, False)


@pytest.mark.django_db
def test_nobody_sees_typing_through_a_block(servers: LiveServer) -> None:
    ann, writer = fresh(servers, "ann")
    bob, reader = fresh(servers, "bob")
    body = {"receiver": bob.username, "content": "hello"}
    message = writer.post("/messages", json=body).raise_for_status().json()
    reader.put(f"/blocks/{ann.username}").raise_for_status()
    with listening(reader) as told:
        assert next(told).type == "ready"
        path = f"/conversations/{message['conversation_id']}"
        writer.put(f"{path}/typing").raise_for_status()
        reader.put(f"{path}/mute").raise_for_status()
        assert types(until(told, "conversation.updated")) == ["conversation.updated"]


@pytest.mark.django_db
def test_presence_comes_and_goes(servers: LiveServer) -> None:
    _, here = fresh(servers, "ann")
    bob, there = fresh(servers, "bob")
    start_group(here, bob)
    with listening(here) as told:
        assert next(told).type == "ready"
        with listening(there) as theirs:
            assert next(theirs).type == "ready"
            [came] = until(told, "presence")
            [met] = until(theirs, "presence")
        [went] = until(told, "presence")
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
                    open_streams.enter_context(listening(client))
                    for client in (ann, ann, bob)
                ]
                assert [next(told).type for told in kept] == ["ready"] * 3
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


@pytest.mark.django_db
def test_a_stopping_server_sends_its_streams_elsewhere(
    live_server_processes: Start,
) -> None:
    server = live_server_processes(1)
    _, client = fresh(server, "ann")
    cursor = client.get("/events/poll").json()["next_cursor"]
    waiting = {"after": cursor, "timeout": 60}
    with ThreadPoolExecutor(1) as pool, listening(client) as told:
        assert next(told).type == "ready"
        poll = pool.submit(server.client(0, _).get, "/events/poll", params=waiting)
        while (
            value(httpx.get(f"{server.urls[0]}/metrics").text, "parley_open_streams")
            < 2
        ):
            pass
        server.processes[0].terminate()
        assert rest_of(told) == ["reconnect"]
        assert poll.result().json()["items"] == []


@pytest.mark.django_db
def test_who_reads_slowly_gets_everything_and_holds_up_nobody(
    servers: LiveServer, people: People
) -> None:
    """More than the buffers between hold: the stream falls behind and catches up."""
    ann, bob = clients(servers, people[0]), clients(servers, people[1])
    conversation = start_group(ann[0], people[1], people[2])
    slow = _deaf_listener(servers, people[2])
    start = begin(bob[0])
    messages = 300
    # Four bytes a character.
    body = {"content": "\N{SLIGHTLY SMILING FACE}" * 5000}
    for _ in range(messages):
        ann[0].post(f"/conversations/{conversation}/messages", json=body)
    with listening(bob[0], start) as stream:
        told = logged(stream)
        found = [told_of(next(told)) for _ in range(2 * messages)]
    assert found == expected(messages)
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


@pytest.mark.django_db
def test_a_worker_for_requests_alone_tells_what_there_is_and_lets_go(
    tmp_path: Path,
) -> None:
    with served_database(tmp_path) as environment:
        server = LiveServer.start(environment, processes=1, interface="wsgi")
        try:
            _, writer = fresh(server, "ann")
            bob, reader = fresh(server, "bob")
            conversation = start_group(writer, bob)
            with listening(reader) as told:
                first = list(told)
            assert types(first) == ["ready", "reconnect"]
            write(writer, conversation, 2)
            with listening(reader, first[0].id) as told:
                again = list(told)
            assert [told_of(each) for each in again[:-1]] == expected(2)
            for _ in range(25):
                assert begin(reader)
        finally:
            server.stop()
