"""The pages that say who can read what, and who did."""

from http import HTTPStatus

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Conversation, Look, Message, User
from messaging.models.looks import LookSource
from messaging.services import participants
from messaging.services.looks import Shown, record_looks
from messaging.services.service_tokens import create_service_token
from tests.browsers import browser_of
from tests.conftest import PASSWORD
from tests.proofs import membership_of

MARK = "new looks at your messages by administrators"


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", PASSWORD, "Root")


def look(by: User, conversation: Conversation, message: Message | None = None) -> None:
    message_id = None if message is None else MessageId(message.pk)
    shown = Shown(ConversationId(conversation.pk), message_id, frozenset())
    record_looks(by=UserId(by.pk), source=LookSource.MESSAGES, shown=[shown])


def test_a_look_is_marked_on_every_page_until_it_is_seen(
    anns: Client, root: User, message: Message
) -> None:
    assert MARK not in anns.get("/people").text
    assert "No administrator has looked." in anns.get("/settings/looks").text
    look(root, message.conversation, message)
    assert MARK in anns.get("/people").text
    assert "1 new" in anns.get("/settings").text
    page = anns.get("/settings/looks").text
    assert "Root" in page
    assert "Opened a message" in page
    assert f'href="/messages/{message.pk}"' in page
    assert f'href="/conversations/{message.conversation_id}"' in page
    up_to = Look.objects.get().pk
    anns.post("/settings/looks/seen", {"up_to": up_to})
    assert MARK not in anns.get("/people").text
    assert "Root" in anns.get("/settings/looks").text


def test_a_conversation_that_one_left_is_not_named(
    root: User, bob: User, group: Conversation
) -> None:
    look(root, group)
    participants.remove_participant(
        membership=membership_of(bob, group), username="bob"
    )
    page = browser_of(bob).get("/settings/looks").text
    assert "A conversation that is gone, or that you left" in page
    assert "Team" not in page


@pytest.mark.parametrize("up_to", ["", "x", "-1", "9" * 30])
def test_what_was_seen_has_to_be_a_look(anns: Client, up_to: str) -> None:
    answer = anns.post("/settings/looks/seen", {"up_to": up_to})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize("page", ["/sign-up", "/sign-in", "/settings"])
def test_the_page_is_linked_before_and_after_signing_in(
    anns: Client, page: str
) -> None:
    browser = anns if page == "/settings" else Client()
    assert 'href="/privacy"' in browser.get(page).text


@pytest.mark.django_db
def test_everybody_reads_who_can_read_what_here() -> None:
    browser = Client()
    before = browser.get("/privacy")
    assert before.status_code == HTTPStatus.OK
    assert "Nobody can sign in to the administration" in before.text
    assert "There is no service token here now" in before.text
    clerk = User.objects.create_user("clerk", PASSWORD)
    clerk.is_staff = True
    clerk.save()
    right = Permission.objects.get(codename="view_message")
    clerk.user_permissions.add(right)
    create_service_token(name="shop")
    page = browser.get("/privacy").text
    assert "1 person can sign in to the administration" in page
    assert f"“{right.name}”" in page
    assert "This server has 1 service token:" in page
    assert "clerk" not in page


def test_the_page_costs_the_same_for_any_number_of_staff(db: None) -> None:
    counts = list[int]()
    for number in range(2):
        User.objects.create_superuser(f"root-{number}", PASSWORD)
        counts.append(_queries())
    assert counts[0] == counts[1]


def _queries() -> int:
    with CaptureQueriesContext(connection) as queries:
        Client().get("/privacy")
    return len(queries)
