"""Finding people, and blocking them."""

from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Block, User
from messaging.services.blocks import block
from tests.chats.html import parse
from tests.conftest import MakeUser

IN_PLACE = {"HX-Request": "true"}


def test_people_are_found_by_any_part_of_their_username(
    anns: Client, make_user: MakeUser
) -> None:
    make_user("Zoe", display_name="Zoë")
    make_user("azoe")

    def found(wanted: str) -> list[str]:
        page = parse(anns.get("/people", {"q": wanted}).content)
        return [
            field["value"]
            for field in page.all("input")
            if field.get("name") == "participant"
        ]

    assert found("zo") == found("@ZO") == ["Zoe", "azoe"]
    assert found("nobody") == found("\x00") == found("") == []


def test_one_finds_oneself_without_buttons(anns: Client) -> None:
    page = parse(anns.get("/people?q=ann").content)
    assert "You" in page.text
    actions = [form.get("action", "") for form in page.all("form")]
    assert not any(action.startswith("/people/") for action in actions)
    assert "/conversations/new" not in actions


def test_blocking_and_unblocking(anns: Client, ann: User, bob: User) -> None:
    assert anns.post("/people/BOB/block").headers["Location"] == "/people/blocked"
    page = parse(anns.get("/people/blocked").content)
    assert "Bob is blocked." in page.text
    assert "/people/bob/unblock" in [form["action"] for form in page.all("form")]
    answer = anns.post("/people/bob/unblock", headers=IN_PLACE)
    assert "/people/bob/block" in [
        form["action"] for form in parse(answer.content).all("form")
    ]
    assert not Block.objects.exists()


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/people/nobody/block", 404, "There is no such person."),
        ("/people/ann/block", 422, "You cannot block yourself."),
        ("/people/nobody/unblock", 404, "There is no account named nobody."),
    ],
)
def test_a_refusal_is_shown_in_place_and_as_a_page(
    anns: Client, path: str, status: int, text: str
) -> None:
    whole, part = anns.post(path), anns.post(path, headers=IN_PLACE)
    assert whole.status_code == part.status_code == status
    assert text in parse(whole.content).text
    assert part.headers["HX-Retarget"] == "#flashes"
    assert "<html" not in part.content.decode()
    assert not Block.objects.exists()


def test_nobody_sees_who_blocked_them(bobs: Client, ann: User, bob: User) -> None:
    before = parse(bobs.get("/people?q=ann").content).text
    block(blocker=ann, blocked=bob)
    assert parse(bobs.get("/people?q=ann").content).text == before
    assert "You have blocked nobody." in parse(bobs.get("/people/blocked").content).text


@pytest.mark.parametrize("path", ["/people?q=u", "/people/blocked"])
def test_lists_cost_the_same_whatever_their_size(
    anns: Client, ann: User, make_user: MakeUser, path: str
) -> None:
    costs = set()
    for size in (2, 12):
        for number in range(size):
            block(blocker=ann, blocked=make_user(f"u{size}-{number}"))
        with CaptureQueriesContext(connection) as queries:
            assert anns.get(path).status_code == HTTPStatus.OK
        costs.add(len(queries))
    assert len(costs) == 1
