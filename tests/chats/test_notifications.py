"""The page of notifications."""

from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Message, Notification, User
from messaging.services.events import read_log
from tests.chats.html import parse
from tests.conftest import MakeUser

IN_PLACE = {"HX-Request": "true"}


@pytest.fixture
def notified(ann: User, bob: User, group: Conversation) -> Message:
    """Bob was written to, mentioned and replied to; this is what he was replied."""
    Message.objects.create(sender=ann, receiver=bob, content="Tea at four?")
    Message.objects.create(sender=ann, conversation=group, content="@bob, tea?")
    asked = Message.objects.create(sender=bob, conversation=group, content="Where?")
    return Message.objects.create(
        sender=ann, conversation=group, content="Here.", parent_message=asked
    )


def test_each_says_who_did_what_and_where(bobs: Client, notified: Message) -> None:
    page = parse(bobs.get("/notifications").content)
    text = " ".join(page.text.split())
    places = [
        text.index(line)
        for line in (
            "Ann replied to you in Team",
            "Ann mentioned you in Team",
            "Ann wrote to you",
        )
    ]
    assert places == sorted(places)
    assert "(3) Notifications · Parley" in text
    link = (
        f"/conversations/{notified.conversation_id}?around={notified.pk}#m{notified.pk}"
    )
    assert link in [each["href"] for each in page.all("a")]


def test_read_ones_stay_without_a_button(bobs: Client, notified: Message) -> None:
    path = f"/notifications/{notified.pk}/read"
    answer = bobs.post(path, headers=IN_PLACE)
    assert b'data-count="2"' in answer.content
    assert b"hx-swap-oob" in answer.content
    page = parse(bobs.get("/notifications").content)
    assert "Here." in page.text
    forms = [form["action"] for form in page.all("form")]
    assert path not in forms
    assert bobs.post(path).headers["Location"] == "/notifications"


def test_all_that_was_shown_is_marked_read(
    bobs: Client, ann: User, bob: User, notified: Message
) -> None:
    page = parse(bobs.get("/notifications").content)
    (up_to,) = [field for field in page.all("input") if field.get("name") == "up_to"]
    later = Message.objects.create(sender=ann, receiver=bob, content="Later")
    answer = bobs.post(
        "/notifications/read", {"up_to": up_to["value"]}, headers=IN_PLACE
    )
    assert b'data-count="1"' in answer.content
    assert Notification.objects.get(user=bob, is_read=False).message == later


def test_a_notification_is_its_owners(
    cleos: Client, bob: User, notified: Message
) -> None:
    bobs_own = Notification.objects.filter(user=bob).first()
    assert bobs_own
    answer = cleos.post(f"/notifications/{bobs_own.pk}/read")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert Notification.objects.get(pk=bobs_own.pk).is_read is False


@pytest.mark.parametrize("path", ["/notifications/read", "/notifications/1/read"])
def test_reading_is_a_post(bobs: Client, path: str) -> None:
    assert bobs.get(path).status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_the_page_costs_the_same_whatever_its_size(
    bobs: Client, bob: User, make_user: MakeUser
) -> None:
    costs = set()
    bobs.get("/notifications")
    for size in (2, 12):
        for number in range(size):
            other = make_user(f"u{size}-{number}")
            Message.objects.create(sender=other, receiver=bob, content="x")
        read_log()
        with CaptureQueriesContext(connection) as queries:
            bobs.get("/notifications")
        costs.add(len(queries))
    # The session with its person, the counts, the clock, the notifications, the titles.
    assert costs == {5}


def test_an_empty_list_of_notifications_says_so(bobs: Client) -> None:
    assert "Nothing new." in parse(bobs.get("/notifications").content).text
