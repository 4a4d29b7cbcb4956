"""Whatever people type, wherever it is shown, it is text."""

from typing import Final

import pytest
from django.test import Client

from messaging.cursors import encode_cursor
from messaging.models import Message, User
from messaging.services.conversations import rename_group, start_group
from messaging.services.messages import edit_message
from messaging.services.users import change_display_name
from tests.chats.hostile import HOSTILE
from tests.chats.html import Page, parse
from tests.proofs import own_of, owned_by

# Every element that our templates make.
TAGS: Final = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "a",
        "aside",
        "div",
        "nav",
        "ul",
        "ol",
        "li",
        "span",
        "b",
        "i",
        "form",
        "input",
        "button",
        "p",
        "main",
        "header",
        "h1",
        "h2",
        "label",
        "textarea",
        "time",
        "bdi",
        "br",
        "details",
        "summary",
        "svg",
        "path",
        "circle",
        "blockquote",
        "ins",
        "del",
        "section",
        "kbd",
    ]
)


def assert_harmless(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag in TAGS
        assert not any(name.startswith(("on", "data-hx-on")) for name in attributes)
        assert "style" not in attributes
        assert attributes.get("hx-trigger") != "load"
        for name in ("href", "src", "action", "hx-get", "hx-post"):
            address = attributes.get(name, "/")
            if address.lower().startswith(("http://", "https://")):
                assert attributes["rel"] == "nofollow noopener noreferrer"
            else:
                assert address.startswith(("/", "#", "?"))
                assert not address.startswith("//")
    assert all(script["src"].startswith("/static/") for script in page.all("script"))


def test_hostile_messages_are_shown_and_run_nothing(
    anns: Client, bobs: Client, ann: User, bob: User
) -> None:
    sent = [
        Message.objects.create(sender=ann, receiver=bob, content=content)
        for content in HOSTILE
    ]
    conversation = f"/conversations/{sent[0].conversation_id}"
    pages = [
        parse(anns.get(f"{conversation}?around={sent[place].pk}").content)
        for place in (0, -1)
    ]
    pages.append(parse(bobs.get("/inbox").content))
    for page in pages:
        assert_harmless(page)
    shown = "".join(page.text for page in pages[:2])
    for content in HOSTILE:
        assert content in shown, content


def test_one_hostile_message_runs_nothing_anywhere(
    anns: Client, bobs: Client, ann: User, bob: User
) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="first")
    Message.objects.create(sender=bob, content="reply", parent_message=message)
    paths = {
        "/conversations": False,
        f"/conversations/{message.conversation_id}": True,
        f"/conversations/{message.conversation_id}/composer?reply={message.pk}": False,
        f"/messages/{message.pk}/thread": True,
        f"/messages/{message.pk}/edit": True,
        f"/messages/{message.pk}/delete": False,
        f"/messages/{message.pk}/receipts": False,
    }
    for content in HOSTILE:
        edit_message(message=own_of(ann, message), content=content)
        for path, whole in paths.items():
            page = parse(anns.get(path).content)
            assert_harmless(page)
            assert not whole or content in page.text, (path, content)
    for start in (1, 21, 41):
        cursor = encode_cursor("versions", start)
        path = f"/messages/{message.pk}/history?cursor={cursor}"
        assert_harmless(parse(bobs.get(path).content))


@pytest.mark.slow
def test_hostile_names_and_titles_run_nothing(
    anns: Client, ann: User, bob: User
) -> None:
    group = start_group(owner=bob, title="x", usernames=["ann"]).conversation
    message = Message.objects.create(sender=bob, conversation=group, content="x")
    paths = (
        "/conversations",
        "/inbox",
        f"/conversations/{group.pk}",
        f"/conversations/{group.pk}?reply={message.pk}",
        f"/messages/{message.pk}/thread",
    )
    for name in HOSTILE:
        if len(name) > 100 or not name.isprintable():
            continue
        change_display_name(user=ann, display_name=name)
        change_display_name(user=bob, display_name=name)
        rename_group(group=owned_by(bob, group), title=name)
        for path in paths:
            page = parse(anns.get(path).content)
            assert_harmless(page)
            assert name in page.text, (path, name)


def test_hostile_searches_run_nothing(anns: Client) -> None:
    for wanted in HOSTILE:
        page = parse(anns.get("/conversations", {"q": wanted}).content)
        assert_harmless(page)
        assert wanted in page.text, wanted
        assert_harmless(parse(anns.get("/conversations/new", {"to": wanted}).content))
