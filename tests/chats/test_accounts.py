"""Signing up, in and out; changing the password."""

import re
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from messaging.models import User
from messaging.rates import Rate
from messaging.services.invites import create_invite
from messaging.services.tokens import issue_token
from tests.browsers import browser_of
from tests.conftest import PASSWORD

SIGN_UP = {"username": "dora", "display_name": "Dora", "password": PASSWORD}


def test_a_page_asks_for_a_sign_in_and_comes_back(ann: User) -> None:
    client = Client()
    asked = client.get("/inbox?cursor=x")
    assert asked.headers["Location"] == "/sign-in?next=/inbox%3Fcursor%3Dx"
    signs = {"username": "ann", "password": PASSWORD}
    answer = client.post(asked.headers["Location"], {**signs, "next": "/inbox"})
    assert answer.headers["Location"] == "/inbox"


def test_who_is_signed_in_is_not_sent_round_in_circles(anns: Client) -> None:
    for after in ("/sign-in", "/sign-in?next=/sign-in"):
        answer = anns.get("/sign-in", {"next": after})
        assert answer.headers["Location"] == "/"


def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(db: None) -> None:
    answer = Client().get("/inbox", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/sign-in"


def test_signing_up_signs_in(db: None) -> None:
    client = Client()
    assert client.post("/sign-up", SIGN_UP).headers["Location"] == "/"
    assert client.get("/conversations").status_code == HTTPStatus.OK
    assert User.objects.get(username="dora").display_name == "Dora"


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"username": "ANN"}, 409, "This username is taken."),
        ({"username": "no spaces"}, 422, "A username has 1 to 64 letters"),
        ({"password": "dora"}, 422, "This password is too short."),
        ({"password": "x7 " * 334}, 422, "This password is too long"),
        ({"display_name": "x" * 101}, 422, "A display name has 1 to 100"),
    ],
)
def test_a_refused_sign_up_says_why(
    ann: User, change: dict[str, str], status: int, text: str
) -> None:
    answer = Client().post("/sign-up", {**SIGN_UP, **change})
    assert answer.status_code == status
    assert text in answer.content.decode()
    assert User.objects.count() == 1


def test_a_refused_sign_up_says_all_that_is_wrong(ann: User) -> None:
    wrong = {"username": "no spaces", "display_name": "x" * 300, "password": "short"}
    answer = Client().post("/sign-up", wrong)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    text = answer.content.decode()
    assert text.count("A username has 1 to 64 letters") == 1
    assert text.count("A display name has 1 to 100") == 1
    assert text.count("This password is too short") == 1
    assert User.objects.count() == 1


@pytest.mark.parametrize("username", ["", "ANN"])
def test_what_is_wrong_elsewhere_is_said_with_a_name_that_cannot_be(
    ann: User, username: str
) -> None:
    wrong = {"username": username, "display_name": "x" * 300, "password": "short"}
    text = Client().post("/sign-up", wrong).content.decode()
    assert "A display name has 1 to 100" in text
    assert "This password is too short" in text
    assert "A username has 1 to 64 letters" not in text


def test_registrations_are_counted(db: None, settings: Settings) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_REGISTRATIONS = Rate(1, 3600)
    Client().post("/sign-up", {**SIGN_UP, "username": "?"})
    answer = Client().post("/sign-up", SIGN_UP)
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert int(answer.headers["Retry-After"]) > 0
    assert not User.objects.exists()


def test_where_nobody_registers_the_page_says_so(ann: User, settings: Settings) -> None:
    settings.PARLEY_REGISTRATION = "closed"
    page = Client().get("/sign-up")
    assert page.status_code == HTTPStatus.OK
    assert b"<form" not in page.content
    assert Client().post("/sign-up", SIGN_UP).status_code == HTTPStatus.FORBIDDEN
    assert User.objects.get() == ann


def test_by_invitation_the_page_asks_for_a_code(ann: User, settings: Settings) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    code = create_invite(uses=1, expires_in=None)
    page = Client().get("/sign-up").content.decode()
    assert '<label for="id_invite_code">Invite code</label>' in page
    assert re.search(r'<input[^>]* name="invite_code"[^>]* required', page)
    for wrong in ("", "guessed"):
        answer = Client().post("/sign-up", {**SIGN_UP, "invite_code": wrong})
        assert answer.status_code == HTTPStatus.FORBIDDEN
    assert User.objects.get() == ann
    answer = Client().post("/sign-up", {**SIGN_UP, "invite_code": code})
    assert answer.headers["Location"] == "/"
    assert User.objects.filter(username="dora").exists()


def test_signing_out_is_a_post(anns: Client) -> None:
    assert anns.get("/sign-out").status_code == HTTPStatus.METHOD_NOT_ALLOWED
    anns.post("/sign-out")
    assert anns.get("/conversations").status_code == HTTPStatus.FOUND


def test_a_new_password_ends_everything_else(ann: User, anns: Client) -> None:
    elsewhere = browser_of(ann)
    issue_token(user=ann, name="phone", expires_in=None)
    form = {"current": PASSWORD, "new_password": "four other unrelated words"}
    assert anns.post("/account/password", form).headers["Location"] == "/settings"
    assert b"Your password is changed" in anns.get("/settings").content
    assert elsewhere.get("/settings").status_code == HTTPStatus.FOUND
    assert not ann.access_tokens.exists()


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"current": "wrong", "new_password": "four other words"}, "is wrong"),
        ({"current": PASSWORD, "new_password": "short"}, "too short"),
    ],
)
def test_a_refused_password_changes_nothing(
    ann: User, anns: Client, form: dict[str, str], text: str
) -> None:
    assert text in anns.post("/account/password", form).content.decode()
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_guesses_at_the_password_are_counted(anns: Client, settings: Settings) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_SIGN_IN = Rate(1, 3600)
    form = {"current": "wrong", "new_password": "four other words"}
    anns.post("/account/password", form)
    answer = anns.post("/account/password", {**form, "current": PASSWORD})
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS


def test_the_deletion_and_its_receipt_say_what_gone_means(ann: User) -> None:
    client = browser_of(ann)
    before = client.get("/account/delete").content.decode()
    after = client.post("/account/delete", {"password": PASSWORD}).content.decode()
    soon = "Within a minute" if connection.vendor == "sqlite" else "Later"
    for page in (before, after):
        for text in ("Out of the database", soon, "Backups", "the title of a group"):
            assert text in page
    assert "Nothing of it is left in the database" in after
