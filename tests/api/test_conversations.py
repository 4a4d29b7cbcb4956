"""Conversations and their participants, over the API."""

from datetime import UTC, datetime
from http import HTTPStatus

import pytest

from messaging.ids import UserId
from messaging.models import Conversation, LastSeen, Message, Participant, User
from messaging.services.presence import declare_present
from tests.api_client import ApiClient, Json, JsonValue


def test_a_direct_conversation_is_made_once(
    as_ann: ApiClient, as_bob: ApiClient
) -> None:
    made = as_ann.post("/conversations", {"kind": "direct", "participant": "BOB"})
    found = as_bob.post("/conversations", {"kind": "direct", "participant": "ann"})
    assert (made.status, found.status) == (201, 200)
    assert made.number("id") == found.number("id")
    path = f"/conversations/{made.number('id')}"
    assert made.headers["Location"] == found.headers["Location"] == f"/api/v1{path}"
    other = found.json["participant"]
    assert isinstance(other, dict)
    assert other["username"] == "ann"
    assert as_ann.get(path).json == made.json


def test_a_group_is_started_by_its_owner(as_ann: ApiClient, bob: User) -> None:
    answer = as_ann.post(
        "/conversations", {"kind": "group", "title": " Team ", "participants": ["bob"]}
    )
    assert answer.status == HTTPStatus.CREATED
    assert (answer.text("title"), answer.text("role")) == ("Team", "owner")
    assert (answer.number("participant_count"), answer.json["participant"]) == (2, None)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "direct", "participant": "nobody"}, 404, "user_not_found"),
        ({"kind": "direct", "participant": "ann"}, 422, "self_message"),
        ({"kind": "other"}, 422, "invalid_request"),
        ({"kind": "group", "title": " ", "participants": []}, 422, "invalid_title"),
    ],
)
def test_a_refused_conversation_is_not_started(
    as_ann: ApiClient, body: object, status: int, code: str
) -> None:
    answer = as_ann.post("/conversations", body)
    assert (answer.status, answer.code) == (status, code)
    assert not Conversation.objects.exists()


def test_conversations_are_listed_by_their_last_activity(
    as_bob: ApiClient, group: Conversation, message: Message
) -> None:
    listed = as_bob.paginate("/conversations", limit=1)
    assert [row["id"] for row in listed] == [message.conversation_id, group.pk]
    assert [row["unread_count"] for row in listed] == [1, 0]
    last = listed[0]["last_message"]
    assert isinstance(last, dict)
    assert last["content"] == "hello"


def test_an_owner_renames_a_group(as_ann: ApiClient, group: Conversation) -> None:
    answer = as_ann.patch(f"/conversations/{group.pk}", {"title": "Crew"})
    assert (answer.status, answer.text("title")) == (200, "Crew")


def test_others_change_no_group(
    as_bob: ApiClient, as_ann: ApiClient, group: Conversation, message: Message
) -> None:
    path = f"/conversations/{group.pk}"
    refused = as_bob.patch(path, {"title": "Bob's"})
    assert (refused.status, refused.code) == (403, "not_owner")
    assert as_bob.put(f"{path}/participants/bob").code == "not_owner"
    direct = as_ann.patch(
        f"/conversations/{message.conversation_id}", {"title": "Ours"}
    )
    assert (direct.status, direct.code) == (409, "direct_conversation")
    assert Conversation.objects.get(pk=group.pk).title == "Team"


def test_an_owner_adds_and_hands_over(
    as_ann: ApiClient, as_bob: ApiClient, group: Conversation
) -> None:
    path = f"/conversations/{group.pk}/participants"
    assert as_ann.delete(f"{path}/cleo").status == HTTPStatus.NO_CONTENT
    assert as_ann.put(f"{path}/Cleo").status == HTTPStatus.NO_CONTENT
    handed = as_ann.put(f"{path}/bob", {"role": "owner"})
    assert handed.status == HTTPStatus.NO_CONTENT
    roles = [row["role"] for row in as_bob.paginate(path, limit=2)]
    assert roles == ["member", "owner", "member"]


def test_leaving_a_group_ends_read_access(
    as_bob: ApiClient, group: Conversation
) -> None:
    path = f"/conversations/{group.pk}"
    left = as_bob.delete(f"{path}/participants/bob")
    assert left.status == HTTPStatus.NO_CONTENT
    assert as_bob.get(path).code == "conversation_not_found"
    assert as_bob.get("/conversations").items == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("nobody", 404, "participant_not_found"), ("ann", 204, "")],
)
def test_only_a_participant_can_be_removed(
    as_ann: ApiClient, group: Conversation, path: str, status: int, code: str
) -> None:
    answer = as_ann.delete(f"/conversations/{group.pk}/participants/{path}")
    assert answer.status == status
    assert not code or answer.code == code
    assert Participant.objects.count() == (3 if code else 2)


def test_strangers_cannot_reach_a_conversation(
    as_cleo: ApiClient, message: Message
) -> None:
    path = f"/conversations/{message.conversation_id}"
    answers = [
        as_cleo.get(path),
        as_cleo.patch(path, {"title": "x"}),
        as_cleo.get(f"{path}/participants"),
        as_cleo.put(f"{path}/participants/cleo"),
        as_cleo.delete(f"{path}/participants/cleo"),
        as_cleo.get(f"{path}/messages"),
        as_cleo.post(f"{path}/messages", {"content": "x"}),
        as_cleo.put(f"{path}/read", {"up_to_sequence": 1}),
    ]
    for answer in answers:
        assert (answer.status, answer.code) == (404, "conversation_not_found")
    assert Message.objects.get() == message


def test_a_conversation_is_read_up_to_a_message(
    as_bob: ApiClient, message: Message
) -> None:
    path = f"/conversations/{message.conversation_id}"
    answer = as_bob.put(f"{path}/read", {"up_to_sequence": 1})
    assert answer.status == HTTPStatus.NO_CONTENT
    assert as_bob.get(path).number("unread_count") == 0


def _username(participant: Json) -> JsonValue:
    user = participant["user"]
    assert isinstance(user, dict)
    return user["username"]


def test_owners_are_made_and_made_members_again(
    as_ann: ApiClient, as_bob: ApiClient, group: Conversation
) -> None:
    path = f"/conversations/{group.pk}/owners"
    assert as_bob.put(f"{path}/bob").code == "not_owner"
    assert as_ann.put(f"{path}/Bob").status == HTTPStatus.NO_CONTENT
    assert as_bob.delete(f"{path}/ann").status == HTTPStatus.NO_CONTENT
    refused = as_bob.delete(f"{path}/bob")
    assert (refused.status, refused.code) == (409, "owner_required")
    assert as_bob.put(f"{path}/nobody").code == "participant_not_found"
    assert dict(group.participants.values_list("user__username", "role")) == {
        "ann": "member",
        "bob": "owner",
        "cleo": "member",
    }


def test_participants_are_found_by_any_part_of_their_names(
    as_ann: ApiClient, group: Conversation
) -> None:
    path = f"/conversations/{group.pk}/participants?query="
    for query, found in (("LE", ["cleo"]), ("o", ["bob", "cleo"]), ("zoe", [])):
        people = as_ann.paginate(f"{path}{query}", limit=1)
        assert list(map(_username, people)) == found


def test_participants_show_when_they_were_last_seen(
    as_ann: ApiClient, bob: User, cleo: User, group: Conversation
) -> None:
    LastSeen.objects.create(user=bob, at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    declare_present(process="p", users=[UserId(cleo.pk)])
    people = as_ann.get(f"/conversations/{group.pk}/participants").items
    shown = {
        _username(person): (person["online"], person["last_seen_at"])
        for person in people
    }
    at = LastSeen.objects.get(user=cleo).at
    assert shown == {
        "ann": (False, None),
        "bob": (False, "2026-01-02T03:04:00Z"),
        "cleo": (True, f"{at:%Y-%m-%dT%H:%M}:00Z"),
    }
