"""A muted conversation: in no badge, no title and not bold, but for mentions."""

import pytest
from django.test import Client

from messaging.models import Conversation, Message, User
from messaging.services.conversations import start_group
from tests.chats.html import parse

IN_PLACE = {"HX-Request": "true"}


@pytest.fixture
def group(ann: User, bob: User) -> Conversation:
    """Ann's, of which Bob has not read three messages; nor one of another."""
    group = start_group(owner=ann, title="Crew", usernames=["bob"]).conversation
    for number in range(3):
        Message.objects.create(conversation=group, sender=ann, content=f"{number}")
    Message.objects.create(sender=ann, receiver=bob, content="Tea?")
    return group


def _mute(browser: Client, group: Conversation, *, on: bool = True) -> str:
    """The number that the page shows then."""
    form = {"on": "1"} if on else {}
    answer = browser.post(f"/conversations/{group.pk}/mute", form, headers=IN_PLACE)
    return _badge(answer.content)


def _badge(content: bytes) -> str:
    return next(
        each["data-count"] for each in parse(content).all("b") if "data-count" in each
    )


def _row(browser: Client, group: Conversation) -> str:
    content = browser.get("/conversations").content.decode()
    start = content.index(f'<li id="c{group.pk}"')
    return content[start : content.index("</li>", start)]


def test_a_muted_conversation_leaves_badge_and_title_at_once(
    bobs: Client, group: Conversation
) -> None:
    assert _badge(bobs.get("/inbox").content) == "4"
    assert _mute(bobs, group) == "1"
    assert "<title>(1) " in bobs.get("/people").content.decode()
    assert _mute(bobs, group, on=False) == "4"
    assert "<title>(4) " in bobs.get("/people").content.decode()


def test_a_mention_in_a_muted_conversation_counts(
    bobs: Client, ann: User, group: Conversation
) -> None:
    _mute(bobs, group)
    Message.objects.create(conversation=group, sender=ann, content="@bob look")
    assert _badge(bobs.get("/inbox").content) == "2"
    row = _row(bobs, group)
    assert 'class="row unread"' in row
    assert '<b class="badge">1<' in row


def test_the_row_of_a_muted_conversation_is_quiet(
    bobs: Client, group: Conversation
) -> None:
    row = _row(bobs, group)
    assert 'class="row unread"' in row
    assert '<b class="badge">3<' in row
    _mute(bobs, group)
    row = _row(bobs, group)
    assert 'class="row"' in row
    assert '<span class="badge quiet-badge">3<' in row


def test_nothing_is_missing_from_the_inbox_itself(
    bobs: Client, group: Conversation
) -> None:
    _mute(bobs, group)
    assert parse(bobs.get("/inbox").content).text.count("in Crew") == 3
    bobs.post(f"/conversations/{group.pk}/read", {"range": "1-3"})
    assert 'class="badge' not in _row(bobs, group)


def test_a_badge_counts_no_further_than_it_has_room_for(
    bobs: Client, ann: User, bob: User, group: Conversation
) -> None:
    """Of 1,005 there are 1,002 elsewhere, which a muted conversation does not take away from."""
    for _ in range(1_001):
        Message.objects.create(sender=ann, receiver=bob, content="x")
    page = bobs.get("/people").content
    assert ("<title>(999+) " in page.decode(), _badge(page)) == (True, "1000")
    assert _mute(bobs, group) == "1002"
    summary = bobs.get("/api/v1/inbox/summary").json()
    assert (summary["unread_count"], summary["badge_count"]) == (1_005, 1_002)
