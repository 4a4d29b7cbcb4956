"""The first run in the pages: an empty installation opens on it, and then it is gone."""

from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import Settings

from messaging.models import User
from messaging.rates import Rate
from messaging.services.setup import setup_code
from tests.chats.html import parse
from tests.conftest import PASSWORD


def filled(**changed: str) -> dict[str, str]:
    return {
        "server_name": "Elm Street",
        "username": "ada",
        "display_name": "Ada",
        "password": PASSWORD,
        **changed,
    }


@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-up", "/conversations"])
def test_an_empty_installation_opens_on_the_first_run(db: None, path: str) -> None:
    answer = Client().get(path, follow=True)
    assert answer.redirect_chain[-1][0] == "/setup"
    assert answer.status_code == HTTPStatus.OK
    assert setup_code() not in answer.content.decode()


def test_with_the_code_one_is_signed_in_as_the_administrator(db: None) -> None:
    browser = Client()
    answer = browser.post("/setup", filled(code=setup_code()))
    assert answer.headers["Location"] == "/administration/welcome"
    welcome = browser.get("/administration/welcome").content.decode()
    assert "Elm Street" in welcome
    assert "http://testserver/sign-up" in welcome
    assert User.objects.get().is_superuser


@pytest.mark.parametrize("code", ["", "AAAA-AAAA-AAAA-AAAA"])
def test_a_stranger_without_the_code_becomes_nobody(db: None, code: str) -> None:
    answer = Client().post("/setup", filled(code=code))
    assert answer.status_code in {HTTPStatus.OK, HTTPStatus.FORBIDDEN}
    page = parse(answer.content)
    # Given back, but for the password.
    assert "Elm Street" in {each.get("value") for each in page.all("input")}
    assert PASSWORD not in page.source
    assert not User.objects.exists()


def test_all_that_is_wrong_is_said_at_once(db: None) -> None:
    wrong = filled(code="guess", username="no spaces", password="short")
    text = Client().post("/setup", wrong).content.decode()
    for fault in ("not the code", "A username has 1 to 64", "password is too short"):
        assert fault in text


def test_guesses_are_counted(db: None, settings: Settings) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_REGISTRATIONS = Rate(1, 3600)
    Client().post("/setup", filled(code="guess"))
    answer = Client().post("/setup", filled(code=setup_code()))
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert not User.objects.exists()


def test_with_an_account_the_page_is_gone(db: None) -> None:
    code = setup_code()
    Client().post("/setup", filled(code=code))
    for answer in (
        Client().get("/setup"),
        Client().post("/setup", filled(code=code, username="eve")),
    ):
        assert answer.status_code == HTTPStatus.NOT_FOUND
    assert Client().get("/sign-in").status_code == HTTPStatus.OK
    assert [user.username for user in User.objects.all()] == ["ada"]


def test_the_name_stands_in_titles_navigation_and_sign_in(db: None) -> None:
    browser = Client()
    browser.post("/setup", filled(code=setup_code(), server_name="Elm & Oak"))
    for client, path in (
        (browser, "/conversations"),
        (Client(), "/sign-in"),
        (Client(), "/sign-up"),
    ):
        text = client.get(path).content.decode()
        assert " · Elm &amp; Oak</title>" in text
        assert "<bdi>Elm &amp; Oak</bdi>" in text
        assert "Parley" not in text


@pytest.mark.parametrize("registration", ["open", "invite", "closed"])
def test_the_welcome_shows_how_others_come(
    db: None, settings: Settings, registration: str
) -> None:
    settings.PARLEY_REGISTRATION = registration
    browser = Client()
    browser.post("/setup", filled(code=setup_code()))
    text = browser.get("/administration/welcome").content.decode()
    assert ("http://testserver/sign-up" in text) == (registration == "open")
    assert ("create_user" in text) == (registration == "closed")
    assert ("Make a link" in text) == (registration == "invite")


def test_the_link_of_the_welcome_lets_others_in(db: None, settings: Settings) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    browser = Client()
    browser.post("/setup", filled(code=setup_code()))
    welcome = parse(browser.get("/administration/welcome").content)
    here = "/administration/invitations"
    [making] = [each for each in welcome.all("form") if each.get("action") == here]
    assert making["method"] == "post"
    sent = {
        field["name"]: field["value"]
        for field in welcome.all("input")
        if field.get("name") in {"uses", "days"}
    }
    page = parse(browser.post(here, sent).content)
    [link] = [each for each in page.texts if each.startswith("http://testserver/join/")]
    shown = link.rpartition("/")[2]
    form = {"username": "bob", "password": PASSWORD, "invite_code": shown}
    assert Client().post("/sign-up", form).headers["Location"] == "/"


@pytest.mark.usefixtures("unreachable_database")
def test_without_a_database_the_page_to_sign_in_is_shown() -> None:
    answer = Client().get("/sign-in")
    assert answer.status_code == HTTPStatus.OK
    assert b"Parley" in answer.content
