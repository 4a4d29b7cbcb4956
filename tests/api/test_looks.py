"""Looks of staff, as those looked at are told of them by the API."""

import json

from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Conversation, User
from messaging.models.looks import LookSource
from messaging.services.looks import Shown, record_looks, record_password
from tests.conftest import ClientOf


def look(by: User, conversation: Conversation, message: int | None = None) -> None:
    message_id = None if message is None else MessageId(message)
    shown = Shown(ConversationId(conversation.pk), message_id, frozenset())
    record_looks(by=UserId(by.pk), source=LookSource.MESSAGES, shown=[shown])


def test_looks_are_listed_newest_first(
    ann: User, bob: User, cleo: User, group: Conversation, client_of: ClientOf
) -> None:
    client = client_of(ann)
    look(bob, group, 7)
    record_password(by=UserId(cleo.pk), user_id=UserId(ann.pk))
    newest, oldest = client.get("/me/looks").items
    assert (newest["source"], newest["conversation_id"]) == ("password", None)
    assert oldest["by"] == {"id": bob.pk, "username": "bob", "display_name": "Bob"}
    assert (oldest["source"], oldest["is_new"]) == ("messages", True)
    assert (oldest["conversation_id"], oldest["message_id"]) == (group.pk, 7)
    first = client.get("/me/looks?limit=1")
    rest = client.get(f"/me/looks?limit=1&cursor={first.text('next_cursor')}")
    assert [*first.items, *rest.items] == [newest, oldest]
    assert rest.json["next_cursor"] is None
    # Bob is told of no look of his own.
    assert client_of(bob).get("/me/looks").items == []


def test_new_looks_are_counted_until_they_are_seen(
    ann: User, bob: User, cleo: User, group: Conversation, client_of: ClientOf
) -> None:
    client = client_of(ann)
    look(bob, group)
    look(cleo, group)
    assert client.get("/inbox/summary").number("new_looks") == 2
    newest = client.get("/me/looks").items[0]
    assert client.put("/me/looks/seen", {"up_to": newest["id"]}).status == 204
    assert client.get("/inbox/summary").number("new_looks") == 0
    assert client_of(bob).get("/inbox/summary").number("new_looks") == 1


def test_an_export_has_the_looks(
    ann: User, bob: User, group: Conversation, client_of: ClientOf
) -> None:
    look(bob, group)
    client = client_of(ann)
    lines = [json.loads(line) for line in client.get("/me/export").body.splitlines()]
    (listed,) = client.get("/me/looks").items
    assert [line for line in lines if line["type"] == "look"] == [
        {**listed, "type": "look"}
    ]
    assert lines[-1]["counts"]["look"] == 1
