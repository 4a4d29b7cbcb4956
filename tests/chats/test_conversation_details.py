"""Managing a group; muting and hiding a conversation."""

from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.conversation_memory import clear_memories
from messaging.ids import UserId
from messaging.models import Block, Conversation, LastSeen, Message, Participant, User
from messaging.services.presence import declare_present
from tests.chats.html import parse
from tests.conftest import MakeUser
from tests.rows import insert

IN_PLACE = {"HX-Request": "true"}
WRITES = (
    "title",
    "people",
    "people/bob/remove",
    "people/bob/own",
    "people/bob/owner",
    "people/bob/member",
    "mute",
    "hide",
    "leave",
)


def path(group: Conversation, action: str) -> str:
    return f"/conversations/{group.pk}/{action}"


def actions(client: Client, group: Conversation) -> set[str]:
    """What the page offers to do, by the ends of the addresses."""
    page = parse(client.get(path(group, "details")).content)
    start = f"/conversations/{group.pk}/"
    return {
        form["action"].removeprefix(start)
        for form in page.all("form")
        if form["method"] == "post" and form.get("action", "").startswith(start)
    }


def test_only_the_owner_is_offered_what_only_they_may(
    anns: Client, bobs: Client, group: Conversation
) -> None:
    everyones = {"mute", "hide", "leave"}
    others = {
        f"people/{name}/{action}"
        for name in ("bob", "cleo")
        for action in ("own", "owner", "remove")
    }
    assert actions(anns, group) == everyones | {"title", "people"} | others
    assert actions(bobs, group) == everyones


def test_a_direct_conversation_offers_less(bobs: Client, message: Message) -> None:
    assert actions(bobs, message.conversation) == {"mute", "hide"}


@pytest.mark.parametrize("action", WRITES)
def test_strangers_cannot_learn_that_it_exists(
    group: Conversation, make_user: MakeUser, action: str
) -> None:
    client = Client()
    client.force_login(make_user("stranger"))
    form = {"title": "x", "username": "stranger", "on": "1"}
    answer = client.post(path(group, action), form)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "There is no such conversation." in parse(answer.content).text
    assert client.get(path(group, "details")).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("action", WRITES[:6])
def test_a_member_may_not_manage(
    cleos: Client, group: Conversation, make_user: MakeUser, action: str
) -> None:
    form = {"title": "x", "username": make_user("dora").username}
    answer = cleos.post(path(group, action), form, headers=IN_PLACE)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "Only an owner" in parse(answer.content).text
    group.refresh_from_db()
    assert (group.title, group.participants.count()) == ("Team", 3)


def test_muting_promises_what_the_badge_does(bobs: Client, group: Conversation) -> None:
    """The inbox still counts what is muted: only the badge leaves it out."""
    answer = bobs.post(path(group, "mute"), {"on": "1"}, headers=IN_PLACE)
    assert "Muted: in no badge, unless it mentions you." in parse(answer.content).text


def test_the_owner_renames_adds_hands_over(
    anns: Client, group: Conversation, make_user: MakeUser
) -> None:
    make_user("dora")
    part = parse(
        anns.post(path(group, "title"), {"title": "Crew"}, headers=IN_PLACE).content
    )
    assert "The group has a new title." in part.text
    anns.post(path(group, "people"), {"username": "@dora"})
    anns.post(path(group, "people/bob/remove"))
    answer = anns.post(path(group, "people/dora/own"))
    assert answer.headers["Location"] == path(group, "details")
    roles = dict(group.participants.values_list("user__username", "role"))
    assert roles == {"ann": "member", "cleo": "member", "dora": "owner"}
    assert Conversation.objects.get().title == "Crew"


def test_several_owners_make_one_another_members_again(
    anns: Client, bobs: Client, group: Conversation
) -> None:
    part = parse(anns.post(path(group, "people/bob/owner"), headers=IN_PLACE).content)
    assert "@bob owns the group, too." in part.text
    managing = {"title", "people", "mute", "hide", "leave"}
    cleos = {f"people/cleo/{action}" for action in ("own", "owner", "remove")}
    others = {f"people/ann/{action}" for action in ("member", "remove")}
    assert actions(bobs, group) == managing | cleos | others | {"people/bob/member"}
    bobs.post(path(group, "people/ann/member"))
    assert actions(anns, group) == {"mute", "hide", "leave"}
    answer = bobs.post(path(group, "people/bob/member"), headers=IN_PLACE)
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "people/bob/member" not in actions(bobs, group)


def test_people_of_a_group_are_found_by_any_part_of_their_names(
    anns: Client, cleo: User, group: Conversation
) -> None:
    page = parse(anns.get(path(group, "details"), {"q": "@LE"}).content)
    rows = [row["id"] for row in page.all("li") if row.get("class") == "person"]
    assert rows == [f"p{cleo.pk}"]
    none = parse(anns.get(path(group, "details"), {"q": "zoe\x00"}).content)
    assert "Nobody here" in none.text


@pytest.mark.parametrize("direct", [True, False])
def test_the_page_says_who_was_last_seen_when(
    *, anns: Client, bob: User, group: Conversation, message: Message, direct: bool
) -> None:
    conversation = message.conversation if direct else group
    assert "ast seen" not in anns.get(path(conversation, "details")).text
    LastSeen.objects.create(user=bob, at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    page = anns.get(path(conversation, "details")).text
    assert "ast seen" in page
    assert "2026-01-02T03:04:00" in page
    declare_present(process="p", users=[UserId(bob.pk)])
    assert "online" in anns.get(path(conversation, "details")).text


@pytest.mark.parametrize(
    ("action", "form", "status", "text"),
    [
        ("people", {"username": "nobody"}, 404, "There is no such person."),
        ("people", {"username": "ann"}, 409, "A group has an owner"),
        ("people", {"username": ""}, 200, "Fill this in."),
        ("title", {"title": "x" * 201}, 422, "A title has 1 to 200"),
    ],
)
def test_a_refusal_stands_in_its_form(
    anns: Client,
    group: Conversation,
    action: str,
    form: dict[str, str],
    status: int,
    text: str,
) -> None:
    for headers in ({}, IN_PLACE):
        answer = anns.post(path(group, action), form, headers=headers)
        assert answer.status_code == status
        page = parse(answer.content)
        assert text in page.text
        assert ("html" in dict(page.elements)) is not bool(headers)


def test_a_block_is_reported_without_detail(
    anns: Client, ann: User, group: Conversation, make_user: MakeUser
) -> None:
    Block.objects.create(blocker=make_user("dora"), blocked=ann)
    answer = anns.post(path(group, "people"), {"username": "dora"})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "This cannot be delivered." in parse(answer.content).text


@pytest.mark.parametrize(
    ("action", "column", "on"), [("mute", "muted", True), ("hide", "hidden_through", 0)]
)
def test_a_switch_turns_on_and_off(
    bobs: Client, bob: User, group: Conversation, action: str, column: str, on: object
) -> None:
    parts = Participant.objects.filter(user=bob)
    off = parts.values_list(column, flat=True).get()
    bobs.post(path(group, action), {"on": "1"}, headers=IN_PLACE)
    assert parts.values_list(column, flat=True).get() == on
    bobs.post(path(group, action))
    assert parts.values_list(column, flat=True).get() == off


def test_leaving_redirects_to_the_list_of_conversations(
    bobs: Client, group: Conversation
) -> None:
    answer = bobs.post(path(group, "leave"))
    assert answer.headers["Location"] == "/conversations"
    assert "You left Team." in parse(bobs.get("/conversations").content).text
    assert bobs.get(path(group, "details")).status_code == HTTPStatus.NOT_FOUND


def test_nobody_leaves_a_direct_conversation(bobs: Client, message: Message) -> None:
    answer = bobs.post(path(message.conversation, "leave"))
    assert answer.status_code == HTTPStatus.CONFLICT
    assert message.conversation.participants.count() == 2


def test_the_page_costs_the_same_whatever_the_number_of_people(
    anns: Client, group: Conversation, make_user: MakeUser
) -> None:
    costs = set()
    for size in (2, 12):
        for number in range(size):
            user = make_user(f"u{size}-{number}")
            insert(Participant(conversation=group, user=user))
        clear_memories()
        with CaptureQueriesContext(connection) as queries:
            anns.get(path(group, "details"))
        costs.add(len(queries))
    assert len(costs) == 1
