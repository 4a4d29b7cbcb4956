"""Idempotency-Key: sent again, answered again, not done again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import IdempotencyKey, Message, User
from messaging.services.idempotency import KEPT_FOR, clear_expired_keys
from tests.api_client import Answer, ApiClient
from tests.conftest import ClientOf

KEY = {"Idempotency-Key": "4711"}


def send(client: ApiClient, content: str = "hello", key: str = "4711") -> Answer:
    return client.call(
        "POST",
        "/messages",
        {"receiver": "bob", "content": content},
        headers={"Idempotency-Key": key},
    )


def test_a_send_with_a_key_happens_once(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    client = client_of(ann)
    first, again = send(client), send(client)
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    for header in ("Location", "ETag", "Content-Type"):
        assert again.headers[header] == first.headers[header]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Message.objects.count() == 1


def test_another_body_under_the_same_key_is_refused(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    client = client_of(ann)
    send(client)
    other = send(client, content="other")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert Message.objects.count() == 1


def test_the_same_at_another_address_under_the_same_key_is_refused(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    client = client_of(ann)
    groups = [
        client.post(
            "/conversations", {"kind": "group", "title": title, "participants": ["bob"]}
        ).number("id")
        for title in ("One", "Other")
    ]
    one, other = (
        client.call(
            "POST", f"/conversations/{group}/messages", {"content": "ok"}, headers=KEY
        )
        for group in groups
    )
    assert one.status == 201
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert Message.objects.get().conversation_id == groups[0]


def test_keys_are_one_persons_own(
    ann: User, bob: User, cleo: User, client_of: ClientOf
) -> None:
    assert send(client_of(ann)).status == 201
    theirs = send(client_of(cleo))
    assert theirs.status == 201
    assert "Idempotency-Replayed" not in theirs.headers
    assert Message.objects.count() == 2


def test_a_refused_request_does_not_use_up_the_key(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    client = client_of(ann)
    assert send(client, content="  ").code == "invalid_content"
    assert not IdempotencyKey.objects.exists()
    assert send(client).status == 201


def test_a_replay_after_deletion_is_missing(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    client = client_of(ann)
    sent = send(client)
    client.delete(f"/messages/{sent.number('id')}")
    again = send(client)
    assert (again.status, again.code) == (410, "result_gone")
    assert not Message.objects.exists()


def test_a_replay_answers_with_current_data(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    client = client_of(ann)
    sent = send(client)
    client.patch(f"/messages/{sent.number('id')}", {"content": "edited"})
    assert send(client).json["content"] == "edited"


def test_an_expired_key_is_forgotten(ann: User, bob: User, client_of: ClientOf) -> None:
    client = client_of(ann)
    send(client)
    past = timezone.now() - KEPT_FOR - timedelta(seconds=1)
    IdempotencyKey.objects.update(created_at=past)
    again = send(client)
    assert "Idempotency-Replayed" not in again.headers
    assert Message.objects.count() == 2


def test_expired_keys_are_cleared_away(
    ann: User, bob: User, cleo: User, client_of: ClientOf
) -> None:
    send(client_of(ann))
    IdempotencyKey.objects.update(created_at=timezone.now() - 2 * KEPT_FOR)
    send(client_of(cleo))
    assert clear_expired_keys() == 1
    assert IdempotencyKey.objects.get().user == cleo


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "schlüssel"])
def test_a_malformed_key_is_refused(
    key: str, ann: User, bob: User, client_of: ClientOf
) -> None:
    answer = send(client_of(ann), key=key)
    assert (answer.status, answer.code) == (422, "invalid_idempotency_key")
    assert not Message.objects.exists()


def test_a_key_does_not_replace_authentication(bob: User, anonymous: ApiClient) -> None:
    assert send(anonymous).code == "not_authenticated"
    assert not IdempotencyKey.objects.exists()


def test_a_removed_participant_gets_no_replay(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    owner, member = client_of(ann), client_of(bob)
    group = owner.post(
        "/conversations", {"kind": "group", "title": "G", "participants": ["bob"]}
    ).number("id")
    path, body = f"/conversations/{group}/messages", {"content": "hello"}
    assert member.call("POST", path, body, headers=KEY).status == 201
    owner.delete(f"/conversations/{group}/participants/bob")
    assert member.call("POST", path, body, headers=KEY).code == "result_gone"


def test_edits_groups_and_profiles_take_keys_too(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    client = client_of(ann)
    message = send(client, key="0").number("id")
    writes: list[tuple[str, str, dict[str, object]]] = [
        ("PATCH", f"/messages/{message}", {"content": "edited"}),
        ("PATCH", "/me", {"display_name": "Annie"}),
        ("POST", "/conversations", {"kind": "group", "title": "G", "participants": []}),
    ]
    for number, (method, path, body) in enumerate(writes):
        headers = {"Idempotency-Key": f"write-{number}"}
        answers = [
            client.call(
                "POST" if method == "POST" else "PATCH", path, body, headers=headers
            )
            for _ in range(2)
        ]
        assert answers[0].status == answers[1].status
        assert answers[0].body == answers[1].body
        assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert client.get("/conversations").items[0]["kind"] == "group"
    assert len(client.get("/conversations").items) == 2
