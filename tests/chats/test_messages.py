"""Editing, deleting, histories and receipts."""

from http import HTTPStatus

import pytest
from django.test import Client

from messaging.models import Message, MessageHistory, User
from messaging.services.messages import delete_message, edit_message
from tests.chats.html import parse
from tests.proofs import own_of

IN_PLACE = {"HX-Request": "true"}


@pytest.fixture
def message(ann: User, bob: User) -> Message:
    return Message.objects.create(sender=ann, receiver=bob, content="Tea at four?")


def reply_to(message: Message, sender: User, content: str) -> Message:
    return Message.objects.create(
        sender=sender, content=content, parent_message=message
    )


@pytest.mark.parametrize(
    "what", ["", "/edit", "/delete", "/thread", "/history", "/receipts"]
)
def test_strangers_get_not_found(cleos: Client, message: Message, what: str) -> None:
    theirs = cleos.get(f"/messages/{message.pk}{what}")
    missing = cleos.get(f"/messages/{message.pk + 77}{what}")
    assert theirs.status_code == missing.status_code == HTTPStatus.NOT_FOUND
    assert parse(theirs.content).text == parse(missing.content).text


@pytest.mark.parametrize("what", ["edit", "delete", "history/1/restore"])
def test_only_who_sent_it_changes_it(bobs: Client, message: Message, what: str) -> None:
    form = {"content": "x", "version": "1"}
    answer = bobs.post(f"/messages/{message.pk}/{what}", form)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert Message.objects.get().content == "Tea at four?"


def test_editing_comes_back_to_its_place(anns: Client, message: Message) -> None:
    path = f"/messages/{message.pk}/edit"
    form = parse(anns.get(path).content)
    assert "Tea at four?" in form.text
    answer = anns.post(path, {"content": "Tea at five?", "version": "1"})
    assert answer.headers["Location"].endswith(f"#m{message.pk}")
    assert Message.objects.get().content == "Tea at five?"
    assert MessageHistory.objects.get().old_content == "Tea at four?"


def test_editing_in_place_shows_the_message(anns: Client, message: Message) -> None:
    path = f"/messages/{message.pk}/edit"
    form = parse(anns.get(path, headers=IN_PLACE).content)
    assert form.ids("m") == [f"m{message.pk}"]
    assert not form.all("html")
    edited = {"content": "Tea at five?", "version": "1"}
    shown = parse(anns.post(path, edited, headers=IN_PLACE).content)
    assert shown.ids("m") == [f"m{message.pk}"]
    assert "Tea at five?" in shown.text
    assert "Edited" in shown.text


@pytest.mark.parametrize("headers", [{}, IN_PLACE])
def test_who_was_slower_keeps_what_they_wrote(
    anns: Client, ann: User, message: Message, headers: dict[str, str]
) -> None:
    edit_message(message=own_of(ann, message), content="Tea at five?")
    answer = anns.post(
        f"/messages/{message.pk}/edit",
        {"content": "Tea at six?", "version": "1"},
        headers=headers,
    )
    assert answer.status_code == HTTPStatus.PRECONDITION_FAILED
    page = parse(answer.content)
    assert "edited meanwhile" in page.text
    assert "Tea at six?" in page.text
    assert Message.objects.get().content == "Tea at five?"


def test_a_blank_edit_says_why(anns: Client, message: Message) -> None:
    form = {"content": " ", "version": "1"}
    answer = anns.post(f"/messages/{message.pk}/edit", form)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "cannot be blank" in parse(answer.content).text


def test_deleting_asks_first(anns: Client, message: Message) -> None:
    path = f"/messages/{message.pk}/delete"
    assert "Delete this message" in parse(anns.get(path).content).text
    assert Message.objects.exists()
    answer = anns.post(path)
    assert answer.headers["Location"] == f"/conversations/{message.conversation_id}"
    assert not Message.objects.exists()


def test_deleting_in_place_leaves_what_is_left(
    anns: Client, bob: User, message: Message
) -> None:
    reply = reply_to(message, bob, "Yes.")
    path = f"/messages/{message.pk}/delete"
    tombstone = parse(anns.post(path, headers=IN_PLACE).content)
    assert "Deleted message" in tombstone.text
    assert tombstone.ids("m") == [f"m{message.pk}"]
    assert anns.post(path).status_code == HTTPStatus.CONFLICT
    assert reply_to(reply, bob, "x").pk


def test_deleting_a_leaf_in_place_leaves_nothing(
    anns: Client, message: Message
) -> None:
    answer = anns.post(f"/messages/{message.pk}/delete", headers=IN_PLACE)
    assert (answer.status_code, answer.content) == (HTTPStatus.OK, b"")


def test_a_history_marks_what_changed(
    anns: Client, bobs: Client, ann: User, message: Message
) -> None:
    edit_message(message=own_of(ann, message), content="Tea at five?")
    source = bobs.get(f"/messages/{message.pk}/history").content.decode()
    assert "Tea at <del>four?</del><ins>five?</ins>" in source
    assert "restore" not in source
    mine = parse(anns.get(f"/messages/{message.pk}/history").content)
    (form,) = [each for each in mine.all("form") if "restore" in each["action"]]
    anns.post(form["action"])
    assert Message.objects.get().content == "Tea at four?"
    assert Message.objects.get().content_version == 3


def test_a_version_that_is_not_there_is_missing(anns: Client, message: Message) -> None:
    answer = anns.post(f"/messages/{message.pk}/history/9/restore")
    assert answer.status_code == HTTPStatus.NOT_FOUND


def test_a_deleted_message_has_no_history(
    anns: Client, ann: User, bob: User, message: Message
) -> None:
    edit_message(message=own_of(ann, message), content="Secret")
    reply_to(message, bob, "Yes.")
    delete_message(message=own_of(ann, message))
    for what in ("history", "thread", "receipts"):
        page = parse(anns.get(f"/messages/{message.pk}/{what}").content)
        assert "Secret" not in page.text
        assert "Tea" not in page.text


def test_receipts_say_who_has_read_it(
    anns: Client, bobs: Client, message: Message
) -> None:
    path = f"/messages/{message.pk}/receipts"
    assert "Not yet" in parse(anns.get(path).content).text
    bobs.post(f"/messages/{message.pk}/read")
    assert "Not yet" not in parse(anns.get(path).content).text


def test_marking_unread_brings_it_back(bobs: Client, message: Message) -> None:
    bobs.post(f"/messages/{message.pk}/read")
    assert "Tea" not in parse(bobs.get("/inbox").content).text
    answer = bobs.post(f"/messages/{message.pk}/unread", headers=IN_PLACE)
    assert b'data-count="1"' in answer.content
    assert "Tea" in parse(bobs.get("/inbox").content).text


def test_ones_own_is_neither_read_nor_unread(anns: Client, message: Message) -> None:
    for what in ("read", "unread"):
        answer = anns.post(f"/messages/{message.pk}/{what}")
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
