"""What is stored is what is shown: each value in its own field, wherever it is shown.

No value is like another of its type, so that no two fields can be confused. Of state
values there are but two: each test is run with another one true.
"""

import json
from datetime import UTC, datetime
from typing import Final

import pytest
from pydantic import BaseModel

from api.schemas.events import event_out
from messaging.ids import Position, UserId
from messaging.models import (
    Conversation,
    Event,
    Message,
    Notification,
    Participant,
    User,
)
from messaging.models.conversations import ConversationKind, ParticipantRole
from messaging.models.events import EventType
from messaging.services.deliveries import deliver
from parley_client import models
from tests.api_client import Json
from tests.browsers import browser_of
from tests.conftest import ClientOf, MakeUser
from tests.rows import insert

# Far from one another and from people's ids.
DIRECT, GROUP, PARENT, SHOWN, NOTIFICATION = 1001, 2002, 3003, 4004, 5005
SEQUENCE, VERSION, REPLIES = 61, 73, 87
CREATED, SENT, NOTIFIED, ACTIVE = (
    datetime(2026, 1, day, day, day, day, day, tzinfo=UTC) for day in (2, 3, 4, 5)
)
CONTENT: Final = "what it says"
STATES = pytest.mark.parametrize("state", ["read", "edited", "deleted"])


def written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def person(user: User) -> Json:
    return {
        "id": user.pk,
        "username": user.username,
        "display_name": user.display_name,
    }


def same(answer: object, expected: object) -> None:
    """In the same order too: as the schema has it."""
    assert json.dumps(answer, indent=1) == json.dumps(expected, indent=1)


def first_fields(item: Json, like: Json) -> Json:
    """Without what a tree adds to a message."""
    return {name: value for name, value in item.items() if name in like}


class StoredConversation:
    """A direct message of Ann's to Bob, in reply to another, and Bob was notified."""

    def __init__(self, ann: User, bob: User, state: str) -> None:
        self.ann, self.bob = ann, bob
        low, high = sorted((ann, bob), key=lambda user: user.pk)
        self.conversation = insert(
            Conversation(
                pk=DIRECT,
                kind=ConversationKind.DIRECT,
                low_user=low,
                high_user=high,
                created_at=CREATED,
                last_activity_at=ACTIVE,
                last_sequence=SEQUENCE + 1,
            )
        )
        for user in (ann, bob):
            insert(Participant(conversation=self.conversation, user=user))
        deleted = state == "deleted"
        self.message: Json = {
            "id": SHOWN,
            "conversation_id": DIRECT,
            "sequence": SEQUENCE,
            "sender": None if deleted else person(ann),
            "receiver": None if deleted else person(bob),
            "content": "" if deleted else CONTENT,
            "timestamp": written(SENT),
            "read": state == "read",
            "edited": state == "edited",
            "deleted": deleted,
            "version": VERSION,
            "parent_message_id": PARENT,
            "reply_count": REPLIES,
        }
        self._insert(pk=PARENT, sequence=SEQUENCE - 1, sender=bob, receiver=ann)
        self._insert(
            pk=SHOWN,
            sequence=SEQUENCE,
            sender=None if deleted else ann,
            receiver=None if deleted else bob,
            content="" if deleted else CONTENT,
            timestamp=SENT,
            read=state == "read",
            edited=state == "edited",
            content_version=VERSION,
            parent_message_id=PARENT,
            reply_count=REPLIES,
        )

    def _insert(self, **values: object) -> None:
        # As a fixture: the signals would number, place and mark it otherwise.
        message = Message(
            **{"conversation": self.conversation, "content": "before", **values}
        )
        message.save_base(raw=True, force_insert=True)

    def notify(self, *, is_read: bool, silent: bool) -> Json:
        insert(
            Notification(
                pk=NOTIFICATION,
                user=self.bob,
                message_id=SHOWN,
                conversation=self.conversation,
                kind=Notification.Kind.REPLY,
                position=1,
                created_at=NOTIFIED,
                is_read=is_read,
                silent=silent,
            )
        )
        return {
            "id": SHOWN,
            "kind": "reply",
            "message": self.message,
            "created_at": written(NOTIFIED),
            "is_read": is_read,
            "silent": silent,
        }


def delivered(
    event_type: EventType, user: User, *, conversation: int, message: int = SHOWN
) -> BaseModel:
    event = Event(
        pk=1,
        position=1,
        type=event_type,
        conversation_id=conversation,
        message_id=message,
        last_sequence=SEQUENCE,
    )
    (delivery,) = deliver([event], audience=frozenset({UserId(user.pk)}))
    assert delivery.position == Position(1)
    return event_out(delivery)


def dumped(model: BaseModel) -> Json:
    values: Json = json.loads(model.model_dump_json())
    return values


@pytest.mark.django_db
@STATES
def test_a_message_is_the_same_in_every_answer(
    ann: User, bob: User, client_of: ClientOf, state: str
) -> None:
    stored = StoredConversation(ann, bob, state)
    client = client_of(bob)
    message_list = client.get(f"/conversations/{DIRECT}/messages")
    thread = client.get(f"/messages/{PARENT}/thread")
    (nested,) = (each for each in thread.list("replies") if isinstance(each, dict))
    (flat,) = client.get(f"/messages/{PARENT}/replies").items
    same(client.get(f"/messages/{SHOWN}").json, stored.message)
    same(message_list.items[0], stored.message)
    same(first_fields(nested, stored.message), stored.message)
    same(first_fields(flat, stored.message), stored.message)
    same(client.get(f"/conversations/{DIRECT}").json["last_message"], stored.message)


@pytest.mark.django_db
@STATES
def test_a_large_tree_shows_the_same_message(
    ann: User, bob: User, client_of: ClientOf, state: str
) -> None:
    stored = StoredConversation(ann, bob, state)
    root = client_of(bob).get(f"/messages/{SHOWN}/thread?nodes=1").json
    same(first_fields(root, stored.message), stored.message)


@pytest.mark.django_db
@STATES
def test_a_message_is_the_same_in_its_events_and_to_the_client(
    ann: User, bob: User, client_of: ClientOf, state: str
) -> None:
    stored = StoredConversation(ann, bob, state)
    created = dumped(delivered(EventType.MESSAGE_CREATED, bob, conversation=DIRECT))
    deleted = dumped(delivered(EventType.MESSAGE_DELETED, bob, conversation=DIRECT))
    same(created["message"], stored.message)
    same(deleted["message"], stored.message)
    body = client_of(bob).get(f"/messages/{SHOWN}").body
    same(dumped(models.MessageData.model_validate_json(body)), stored.message)


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["read", "edited"])
def test_a_message_is_the_same_in_an_export(
    ann: User, bob: User, client_of: ClientOf, state: str
) -> None:
    stored = StoredConversation(ann, bob, state)
    lines = [
        json.loads(line) for line in client_of(ann).get("/me/export").body.splitlines()
    ]
    (line,) = (each for each in lines if each.get("id") == SHOWN)
    shown = {name: stored.message[name] for name in line if name in stored.message}
    same(line, {"type": "message", **shown})


@pytest.mark.django_db
@STATES
def test_a_message_is_the_same_on_a_page(ann: User, bob: User, state: str) -> None:
    StoredConversation(ann, bob, state)
    page = browser_of(bob).get(f"/conversations/{DIRECT}").content.decode()
    (row,) = (part for part in page.split("<li ") if part.startswith(f'id="m{SHOWN}"'))
    assert f'data-id="{SHOWN}" data-sequence="{SEQUENCE}"' in row
    assert "2026-01-03T03:03:03Z" in row
    assert f"{REPLIES} replies" in row
    sender = "" if state == "deleted" else ann.pk
    assert f'data-sender="{sender}"' in row
    assert (f'href="/messages/{PARENT}"' in row) is (state != "deleted")
    assert (ann.display_name in row, CONTENT in row) == (state != "deleted",) * 2
    assert (">Edited</a>" in row) is (state == "edited")
    assert (">Read</a>" in row) is (state == "read")
    assert ("Deleted message" in row) is (state == "deleted")


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["is_read", "silent"])
def test_a_notification_is_the_same_wherever_it_is_shown(
    ann: User, bob: User, client_of: ClientOf, state: str
) -> None:
    stored = StoredConversation(ann, bob, "edited")
    expected = stored.notify(is_read=state == "is_read", silent=state == "silent")
    answer = client_of(bob).get("/notifications")
    event = dumped(delivered(EventType.NOTIFICATION_CREATED, bob, conversation=DIRECT))
    same(answer.items, [expected])
    same(event["notification"], expected)
    item = json.dumps(answer.items[0])
    same(dumped(models.NotificationData.model_validate_json(item)), expected)
    unread = client_of(bob).get("/inbox").items
    same(unread, [] if state == "is_read" else [stored.message])


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["muted", "hidden"])
def test_a_conversation_is_the_same_wherever_it_is_shown(
    ann: User, bob: User, client_of: ClientOf, make_user: MakeUser, state: str
) -> None:
    group = insert(
        Conversation(
            pk=GROUP,
            kind=ConversationKind.GROUP,
            title="the title",
            created_at=CREATED,
            last_activity_at=ACTIVE,
            last_sequence=SEQUENCE,
        )
    )
    for user in (ann, make_user("dora"), bob):
        insert(
            Participant(
                conversation=group,
                user=user,
                role=ParticipantRole.OWNER if user == bob else ParticipantRole.MEMBER,
                muted=state == "muted",
                hidden_through=SEQUENCE if state == "hidden" else None,
            )
        )
    expected: Json = {
        "id": GROUP,
        "kind": "group",
        "title": "the title",
        "participant": None,
        "participant_count": 3,
        "role": "owner",
        "muted": state == "muted",
        "hidden": state == "hidden",
        "created_at": written(CREATED),
        "last_activity_at": written(ACTIVE),
        "last_sequence": SEQUENCE,
        "last_message": None,
        "unread_count": 0,
        "badge_count": 0,
    }
    client = client_of(bob)
    answer = client.get(f"/conversations/{GROUP}")
    event = dumped(delivered(EventType.CONVERSATION_UPDATED, bob, conversation=GROUP))
    listed = [] if state == "hidden" else [expected]
    same(answer.json, expected)
    same(client.get("/conversations").items, listed)
    same(event["conversation"], expected)
    same(dumped(models.ConversationData.model_validate_json(answer.body)), expected)


@pytest.mark.django_db
def test_a_direct_conversation_shows_the_other_person(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    stored = StoredConversation(ann, bob, "edited")
    stored.notify(is_read=False, silent=False)
    for reader, other, unread in ((ann, bob, 0), (bob, ann, 1)):
        (shown,) = client_of(reader).get("/conversations").items
        assert shown["participant"] == person(other)
        assert (shown["participant_count"], shown["unread_count"]) == (2, unread)
        assert shown["last_message"] == stored.message
