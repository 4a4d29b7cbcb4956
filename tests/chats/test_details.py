"""Managing a group; muting and hiding a conversation."""

from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Block, Conversation, Message, Participant, User
from tests.chats.html import parse
from tests.conftest import MakeUser

IN_PLACE = {"HX-Request": "true"}
WRITES = (
    "title",
    "people",
    "people/bob/remove",
    "people/bob/own",
    "mute",
    "hide",
    "leave",
)


def path(group: Conversation, deed: str) -> str:
    return f"/conversations/{group.pk}/{deed}"


def actions(client: Client, group: Conversation) -> set[str]:
    """What the page offers to do, by the ends of the addresses."""
    page = parse(client.get(path(group, "details")).content)
    start = f"/conversations/{group.pk}/"
    return {
        form["action"].removeprefix(start)
        for form in page.all("form")
        if form.get("action", "").startswith(start)
    }


def test_only_the_owner_is_offered_what_only_they_may(
    anns: Client, bobs: Client, group: Conversation
) -> None:
    everyones = {"mute", "hide", "leave"}
    others = {
        f"people/{name}/{deed}"
        for name in ("bob", "cleo")
        for deed in ("own", "remove")
    }
    assert actions(anns, group) == everyones | {"title", "people"} | others
    assert actions(bobs, group) == everyones


def test_a_direct_conversation_offers_less(bobs: Client, message: Message) -> None:
    assert actions(bobs, message.conversation) == {"mute", "hide"}


@pytest.mark.parametrize("deed", WRITES)
def test_others_cannot_tell_that_it_exists(
    group: Conversation, make_user: MakeUser, deed: str
) -> None:
    client = Client()
    client.force_login(make_user("stranger"))
    form = {"title": "x", "username": "stranger", "on": "1"}
    answer = client.post(path(group, deed), form)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "There is no such conversation." in parse(answer.content).text
    assert client.get(path(group, "details")).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("deed", WRITES[:4])
def test_a_member_may_not_manage(
    cleos: Client, group: Conversation, make_user: MakeUser, deed: str
) -> None:
    form = {"title": "x", "username": make_user("dora").username}
    answer = cleos.post(path(group, deed), form, headers=IN_PLACE)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "Only the owner" in parse(answer.content).text
    group.refresh_from_db()
    assert (group.title, group.participants.count()) == ("Team", 3)


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


@pytest.mark.parametrize(
    ("deed", "form", "status", "told"),
    [
        ("people", {"username": "nobody"}, 404, "There is no such person."),
        ("people", {"username": "ann"}, 409, "A group has an owner"),
        ("people", {"username": ""}, 200, "This field is required."),
        ("title", {"title": "x" * 201}, 422, "A title has 1 to 200"),
    ],
)
def test_a_refusal_stands_in_its_form(
    anns: Client,
    group: Conversation,
    deed: str,
    form: dict[str, str],
    status: int,
    told: str,
) -> None:
    for headers in ({}, IN_PLACE):
        answer = anns.post(path(group, deed), form, headers=headers)
        assert answer.status_code == status
        page = parse(answer.content)
        assert told in page.text
        assert ("html" in dict(page.elements)) is not bool(headers)


def test_a_block_is_told_as_little_as_ever(
    anns: Client, ann: User, group: Conversation, make_user: MakeUser
) -> None:
    Block.objects.create(blocker=make_user("dora"), blocked=ann)
    answer = anns.post(path(group, "people"), {"username": "dora"})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "This cannot be delivered." in parse(answer.content).text


@pytest.mark.parametrize(
    ("deed", "column", "on"), [("mute", "muted", True), ("hide", "hidden_through", 0)]
)
def test_a_switch_turns_on_and_off(
    bobs: Client, bob: User, group: Conversation, deed: str, column: str, on: object
) -> None:
    parts = Participant.objects.filter(user=bob)
    off = parts.values_list(column, flat=True).get()
    bobs.post(path(group, deed), {"on": "1"}, headers=IN_PLACE)
    assert parts.values_list(column, flat=True).get() == on
    bobs.post(path(group, deed))
    assert parts.values_list(column, flat=True).get() == off


def test_who_leaves_is_taken_to_the_others(bobs: Client, group: Conversation) -> None:
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
            Participant.objects.create(conversation=group, user=user)
        with CaptureQueriesContext(connection) as queries:
            anns.get(path(group, "details"))
        costs.add(len(queries))
    assert len(costs) == 1
