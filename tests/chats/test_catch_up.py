"""The page of what waits: cards by conversation and thread, and what is done with them."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Message, Notification, User
from tests.chats.html import Page, parse
from tests.conftest import MakeUser

IN_PLACE = {"HX-Request": "true"}


@pytest.fixture
def plan(ann: User, bob: User, group: Conversation) -> Message:
    """In the group, Bob was mentioned and answered; this is what he was answered on."""
    asked = Message.objects.create(sender=bob, conversation=group, content="The plan?")
    for content, parent in (("@bob, tea?", None), ("Here.", asked), ("Tea.", None)):
        Message.objects.create(
            sender=ann, conversation=group, content=content, parent_message=parent
        )
    return asked


def _page(browser: Client, query: str = "") -> Page:
    return parse(browser.get(f"/catch-up{query}").content)


def _ranges(page: Page) -> list[str | None]:
    return [
        field["value"] for field in page.all("input") if field.get("name") == "range"
    ]


def _unread(reader: User) -> list[str]:
    unread = Notification.objects.filter(user=reader, is_read=False)
    return [*unread.order_by("message").values_list("message__content", flat=True)]


def test_a_card_is_shown_for_each_thread_with_its_root(
    bobs: Client, plan: Message
) -> None:
    page = _page(bobs)
    text = " ".join(page.text.split())
    order = [
        text.index(part)
        for part in ("Team", "@bob, tea?", "Tea.", "The plan?", "Here.")
    ]
    assert order == sorted(order)
    assert "(3) Catch up · Parley" in text
    assert "All 3 Mentions 1 Replies 1" in text
    assert "mentions you" in text
    assert f"/messages/{plan.pk}/thread" in [each.get("href") for each in page.all("a")]
    # Its own message stands between those of the first card.
    assert _ranges(page) == ["2-2", "4-4", "3-3"]


@pytest.mark.usefixtures("plan")
def test_mentions_and_replies_are_shown_alone(bobs: Client) -> None:
    for show, here, missing in (
        ("mentions", "@bob, tea?", "Here."),
        ("replies", "Here.", "@bob, tea?"),
    ):
        text = _page(bobs, f"?show={show}").text
        assert here in text
        assert missing not in text
    # Anything else is all of it.
    assert "Here." in _page(bobs, "?show=x").text


def test_done_marks_just_what_was_shown(
    bobs: Client, ann: User, bob: User, group: Conversation, plan: Message
) -> None:
    ranges = _ranges(_page(bobs, "?show=mentions"))
    Message.objects.create(sender=ann, conversation=group, content="Later")
    path = f"/catch-up/{group.pk}/done"
    answer = bobs.post(path, {"range": ranges, "show": "mentions"})
    assert answer.headers["Location"] == (
        f"/catch-up?undo={group.pk}%3A2-2&show=mentions"
    )
    assert _unread(bob) == ["Here.", "Tea.", "Later"]


def test_without_scripts_done_is_taken_back_from_the_next_page(
    bobs: Client, bob: User, group: Conversation, plan: Message
) -> None:
    answer = bobs.post(f"/catch-up/{group.pk}/done", {"range": ["2-3"]}, follow=True)
    page = parse(answer.content)
    path = f"/catch-up/{group.pk}/undo"
    assert path in [form["action"] for form in page.all("form")]
    assert "Undo" in page.text
    answer = bobs.post(path, {"range": ["2-3"]}, follow=True)
    assert "They are unread again." in parse(answer.content).text
    assert _unread(bob) == ["@bob, tea?", "Here.", "Tea."]


@pytest.mark.usefixtures("plan")
def test_in_place_the_count_and_the_undo_are_renewed(
    bobs: Client, group: Conversation
) -> None:
    answer = bobs.post(
        f"/catch-up/{group.pk}/done", {"range": ["2-2"]}, headers=IN_PLACE
    )
    assert b'data-count="2"' in answer.content
    assert b'id="undo" hx-swap-oob' in answer.content


@pytest.mark.parametrize("ranges", [[], ["x"], ["2-1"], ["1-2"] * 101])
@pytest.mark.parametrize("action", ["done", "undo"])
def test_what_is_no_range_is_refused(
    bobs: Client, bob: User, plan: Message, ranges: list[str], action: str
) -> None:
    path = f"/catch-up/{plan.conversation_id}/{action}"
    assert bobs.post(path, {"range": ranges}).status_code == 422
    assert len(_unread(bob)) == 3


@pytest.mark.parametrize("undo", ["1:x", "x:1-2", "9:2-1"])
def test_an_address_that_nobody_made_is_refused(bobs: Client, undo: str) -> None:
    assert bobs.get(f"/catch-up?undo={undo}").status_code == 422


def test_a_reply_goes_to_its_thread_once_and_marks_nothing(
    bobs: Client, bob: User, group: Conversation, plan: Message
) -> None:
    parent = Message.objects.get(content="Here.")
    form = {"content": "Thanks", "parent": parent.pk, "form": "a", "part": plan.pk}
    path = f"/catch-up/{group.pk}/reply"
    bobs.post(path, form, headers=IN_PLACE)
    answer = bobs.post(path, form)
    assert answer.headers["Location"] == "/catch-up"
    sent = Message.objects.get(content="Thanks")
    assert (sent.parent_message, sent.sender) == (parent, bob)
    assert len(_unread(bob)) == 3


def test_a_reply_in_place_leaves_a_new_form(
    bobs: Client, group: Conversation, plan: Message
) -> None:
    form = {"content": "Thanks", "form": "a"}
    answer = bobs.post(f"/catch-up/{group.pk}/reply", form, headers=IN_PLACE)
    page = parse(answer.content)
    assert "Sent: Thanks" in page.text
    (name,) = [each for each in page.all("input") if each.get("name") == "form"]
    assert name["value"] != "a"


def test_only_participants_act(cleos: Client, bob: User, message: Message) -> None:
    path = f"/catch-up/{message.conversation_id}"
    for action, form in {
        "done": {"range": "1-1"},
        "undo": {"range": "1-1"},
        "reply": {"content": "x"},
    }.items():
        assert cleos.post(f"{path}/{action}", form).status_code == 404
    assert _unread(bob) == ["hello"]


def test_a_busy_conversation_leads_to_its_rest(
    bobs: Client, ann: User, group: Conversation
) -> None:
    for number in range(30):
        Message.objects.create(sender=ann, conversation=group, content=f"No. {number}.")
    page = _page(bobs)
    assert "No. 24." in page.text
    assert "No. 25." not in page.text
    (rest,) = [
        str(each["href"]) for each in page.all("a") if "cursor=" in str(each["href"])
    ]
    text = parse(bobs.get(rest).content).text
    assert "No. 24." not in text
    assert "No. 29." in text
    assert "From the beginning" in text


def test_an_empty_page_says_so(bobs: Client) -> None:
    assert "All caught up." in _page(bobs).text
    assert "Nothing of this kind waits." in _page(bobs, "?show=mentions").text


def test_the_navigation_leads_there_and_the_lists_by_time_stay(bobs: Client) -> None:
    for path in ("/catch-up", "/inbox", "/notifications"):
        page = parse(bobs.get(path).content)
        (current,) = [
            each["href"]
            for each in page.all("a")
            if each.get("aria-current") == "page"
            and not str(each["href"]).startswith("/catch-up?")
        ][:1]
        assert current == "/catch-up"


def test_the_page_costs_the_same_whatever_its_size(
    bobs: Client, ann: User, bob: User, group: Conversation, make_user: MakeUser
) -> None:
    costs = set()
    bobs.get("/catch-up")
    for size in (2, 8):
        root = Message.objects.create(sender=bob, conversation=group, content="x")
        for number in range(size):
            other = make_user(f"u{size}-{number}")
            Message.objects.create(sender=other, receiver=bob, content="x")
            Message.objects.create(
                sender=ann, conversation=group, content="x", parent_message=root
            )
        with CaptureQueriesContext(connection) as queries:
            bobs.get("/catch-up")
        costs.add(len(queries))
    # The session with its person, the count, and the eight of what waits.
    assert costs == {10}
