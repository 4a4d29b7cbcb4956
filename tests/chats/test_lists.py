"""The inbox, the list of conversations, and starting one."""

import re
from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.conversation_memory import clear_memories
from messaging.ids import UserId
from messaging.models import Conversation, Message, User
from messaging.services.conversations import start_group
from messaging.services.deletion import delete_account
from messaging.services.presence import declare_present, withdraw_presence
from messaging.services.users import change_display_name
from tests.chats.html import parse
from tests.conftest import PASSWORD, MakeUser, RunBeforeQuery

IN_PLACE = {"HX-Request": "true"}


@pytest.fixture
def message(ann: User, bob: User) -> Message:
    return Message.objects.create(sender=ann, receiver=bob, content="Tea at four?")


def test_the_inbox_holds_what_is_unread(
    bobs: Client, ann: User, bob: User, message: Message
) -> None:
    group = start_group(owner=ann, title="Crew", usernames=["bob"]).conversation
    Message.objects.create(sender=ann, conversation=group, content="Ahoy")
    page = parse(bobs.get("/inbox").content)
    assert "(2) Inbox · Parley" in page.text
    assert page.text.index("Ahoy") < page.text.index("Tea at four?")
    assert "in Crew" in page.text


def test_one_is_marked_read(bobs: Client, message: Message) -> None:
    answer = bobs.post(f"/messages/{message.pk}/read")
    assert answer.headers["Location"] == "/inbox"
    assert "Tea" not in parse(bobs.get("/inbox").content).text


def test_all_that_was_shown_is_marked_read(
    bobs: Client, ann: User, bob: User, message: Message
) -> None:
    page = parse(bobs.get("/inbox").content)
    (up_to,) = [field for field in page.all("input") if field.get("name") == "up_to"]
    Message.objects.create(sender=ann, receiver=bob, content="Later")
    answer = bobs.post("/inbox/read", {"up_to": up_to["value"]}, headers=IN_PLACE)
    part = parse(answer.content)
    assert "Later" in part.text
    assert "Tea" not in part.text
    assert b'data-count="1"' in answer.content


@pytest.mark.parametrize("path", ["/conversations", "/inbox", "/notifications"])
def test_what_is_said_is_cut_by_the_style(
    bobs: Client, ann: User, bob: User, path: str
) -> None:
    """Where the line ends, which no number of letters knows; a long text early enough."""
    said = "a word " * 30
    Message.objects.create(sender=ann, receiver=bob, content=f"{said}end")
    assert f"{said}end" in parse(bobs.get(path).content).text
    Message.objects.create(sender=ann, receiver=bob, content="x" * 5000)
    assert "x" * 300 not in bobs.get(path).text


def test_the_list_is_searched_by_title_and_name(
    anns: Client, ann: User, bob: User, make_user: MakeUser
) -> None:
    zoe = make_user("zoe", display_name="Zoë Ann-Marie")
    Message.objects.create(sender=ann, receiver=bob, content="x")
    Message.objects.create(sender=ann, receiver=zoe, content="y")
    start_group(owner=ann, title="Bobsleigh crew", usernames=[])

    def found(wanted: str) -> int:
        page = parse(anns.get("/conversations", {"q": wanted}).content)
        return sum(link.get("class", "").startswith("row") for link in page.all("a"))

    assert found("") == 3
    assert found("BOB") == 2
    assert found("marie") == 1
    # Her own name is in every conversation; only Zoe's has it beside.
    assert found("ann") == 1
    assert found("%") == found("\x00") == found("nobody") == 0


def test_lists_cost_the_same_whatever_their_size(
    bobs: Client, ann: User, bob: User, make_user: MakeUser
) -> None:
    costs: dict[str, set[int]] = {"/inbox": set(), "/conversations": set()}
    bobs.get("/inbox")
    for size in (2, 12):
        for number in range(size):
            other = make_user(f"u{size}-{number}")
            Message.objects.create(sender=other, receiver=bob, content="x")
        for path, found in costs.items():
            with CaptureQueriesContext(connection) as queries:
                bobs.get(path)
            found.add(len(queries))
    assert all(len(found) == 1 for found in costs.values())


def test_writing_to_someone_opens_their_conversation(
    anns: Client, bob: User, message: Message
) -> None:
    form = {"kind": "direct", "participant": "@BOB"}
    answer = anns.post("/conversations/new", form)
    assert answer.headers["Location"] == f"/conversations/{message.conversation_id}"
    assert b'value="bob"' in anns.get("/conversations/new?to=bob").content


def test_a_group_is_started(anns: Client, bob: User, cleo: User) -> None:
    form = {"kind": "group", "title": "Crew", "participants": "@bob, cleo"}
    answer = anns.post("/conversations/new", form)
    group = Conversation.objects.get()
    assert answer.headers["Location"] == f"/conversations/{group.pk}"
    assert group.participants.count() == 3


def test_a_group_is_started_once_from_a_form(anns: Client, bob: User) -> None:
    hidden = parse(anns.get("/conversations/new").content).all("input")
    (name,) = [field["value"] for field in hidden if field.get("name") == "form"]
    form = {"kind": "group", "title": "Crew", "participants": "bob", "form": name}
    places = {
        anns.post("/conversations/new", form).headers["Location"] for _ in range(2)
    }
    assert len(places) == Conversation.objects.count() == 1
    anns.post("/conversations/new", {**form, "title": "Another crew"})
    assert Conversation.objects.count() == 2


@pytest.mark.parametrize(
    ("form", "status", "text"),
    [
        ({"kind": "direct", "participant": "nobody"}, 404, "no such person"),
        ({"kind": "direct", "participant": "ann"}, 422, "yourself"),
        ({"kind": "group", "title": "x", "participants": "nobody"}, 422, "nobody"),
        ({"kind": "group", "title": "x" * 201}, 422, "A title has 1 to 200"),
    ],
)
def test_a_refused_start_says_why(
    anns: Client, form: dict[str, str], status: int, text: str
) -> None:
    answer = anns.post("/conversations/new", form)
    assert answer.status_code == status
    page = parse(answer.content)
    assert text in page.text
    assert not Conversation.objects.exists()


def test_an_empty_list_explains_what_to_do(anns: Client) -> None:
    assert "No conversations yet." in parse(anns.get("/conversations").content).text
    assert "All caught up." in parse(anns.get("/inbox").content).text
    assert anns.get("/").status_code == HTTPStatus.FOUND


def test_an_inbox_outlives_what_ends_while_it_is_read(
    bobs: Client,
    ann: User,
    bob: User,
    message: Message,
    run_before_query: RunBeforeQuery,
) -> None:
    with run_before_query(ann.delete, before='SELECT "messaging_conversation"."id"'):
        page = bobs.get("/inbox")
    assert page.status_code == 200
    assert not Message.objects.exists()


def _rows(browser: Client) -> list[str]:
    content = browser.get("/conversations").content.decode()
    return re.findall(r'<li id="c\d+">.*?</li>', content, re.DOTALL)


def test_whatever_changes_in_a_row_is_shown_at_once(
    anns: Client, bobs: Client, ann: User, bob: User, make_user: MakeUser
) -> None:
    """Rows are kept: each is as one that was made anew, for either reader."""
    group = start_group(owner=ann, title="Crew", usernames=["bob"]).conversation
    direct = Message.objects.create(sender=ann, receiver=bob, content="Tea?")
    said = Message.objects.create(sender=ann, conversation=group, content="Ahoy")
    namesake = make_user("anna", display_name="Ann")

    def edit() -> None:
        said.content = "Ahoy there"
        said.save()

    changes: list[Callable[[], object]] = [
        edit,
        lambda: Message.objects.create(sender=ann, conversation=group, content="@bob"),
        lambda: bobs.post(f"/conversations/{group.pk}/mute", {"on": "1"}),
        lambda: bobs.post(f"/conversations/{group.pk}/read", {"up_to": "9"}),
        lambda: bobs.post(f"/conversations/{group.pk}/mute"),
        lambda: bobs.post(f"/messages/{direct.pk}/read"),
        lambda: declare_present(process="one", users=[UserId(ann.pk)]),
        lambda: withdraw_presence(process="one"),
        lambda: Message.objects.create(sender=namesake, receiver=bob, content="Hi"),
        lambda: change_display_name(user=namesake, display_name="Anna"),
        lambda: change_display_name(user=ann, display_name="Anne"),
        lambda: anns.post(f"/conversations/{group.pk}/title", {"title": "Old crew"}),
        lambda: anns.post(f"/messages/{direct.pk}/delete"),
        lambda: delete_account(user=namesake, password=PASSWORD),
    ]
    shown = _rows(bobs)
    for number, change in enumerate(changes):
        before, _ = shown, change()
        shown = _rows(bobs)
        assert (number, shown) != (number, before)
        kept = (_rows(anns), shown)
        clear_memories()
        assert (number, kept) == (number, (_rows(anns), _rows(bobs)))
