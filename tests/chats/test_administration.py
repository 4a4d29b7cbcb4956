"""The administration in the pages."""

from http import HTTPStatus

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import Settings

from messaging.models import Message, User
from messaging.rates import Rate
from messaging.services.tokens import issue_token
from tests.browsers import browser_of
from tests.chats.html import parse
from tests.conftest import PASSWORD, MakeUser
from tests.tables import all_rows

PEOPLE = "/administration/people"


@pytest.fixture
def roots(db: None) -> Client:
    return browser_of(User.objects.create_superuser("root", PASSWORD))


def clerks(*codenames: str) -> Client:
    clerk = User.objects.create_user("clerk", PASSWORD)
    User.objects.filter(pk=clerk.pk).update(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return browser_of(clerk)


def links(client: Client, path: str) -> set[str]:
    return {each["href"] for each in parse(client.get(path).content).all("a")}


def test_only_staff_are_led_to_the_administration(anns: Client, roots: Client) -> None:
    assert "/administration" not in links(anns, "/conversations")
    assert "/administration" in links(roots, "/conversations")


def test_staff_are_led_to_what_they_may_see(ann: User) -> None:
    client = clerks("view_user")
    assert client.get("/administration").headers["Location"] == PEOPLE
    shown = links(client, f"{PEOPLE}/@ann")
    assert "/administration/settings" not in shown
    assert f"{PEOPLE}/ann/password" not in shown
    assert f"{PEOPLE}/ann/delete" not in shown


@pytest.mark.parametrize(
    "path",
    ["", "/people", "/people/@ann", "/invitations", "/settings", "/welcome"],
)
def test_staff_without_a_permission_are_refused(ann: User, path: str) -> None:
    answer = clerks().get(f"/administration{path}")
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "no-store" in answer.headers["Cache-Control"]
    assert "@ann" not in answer.content.decode()


def test_the_settings_and_numbers_are_superusers(ann: User) -> None:
    client = clerks("view_user", "change_user", "delete_user")
    for path in ("settings", "welcome"):
        status = client.get(f"/administration/{path}").status_code
        assert status == HTTPStatus.FORBIDDEN
    renamed = client.post("/administration/settings", {"server_name": "Mine"})
    assert renamed.status_code == HTTPStatus.FORBIDDEN


def test_who_is_suspended_is_out_at_once_and_let_in_again(
    roots: Client, ann: User
) -> None:
    anns = browser_of(ann)
    answer = roots.post(f"{PEOPLE}/ann/suspend")
    assert answer.headers["Location"] == f"{PEOPLE}/@ann"
    assert anns.get("/conversations").status_code == HTTPStatus.FOUND
    assert b"No, suspended" in roots.get(f"{PEOPLE}/@ann").content
    assert b"@ann" in roots.get(f"{PEOPLE}?suspended=1").content
    roots.post(f"{PEOPLE}/ann/let-in")
    assert anns.get("/conversations").status_code == HTTPStatus.OK
    assert b"@ann" not in roots.get(f"{PEOPLE}?suspended=1").content


def test_a_password_that_is_made_is_shown_once(roots: Client, ann: User) -> None:
    issue_token(user=ann, name="phone", expires_in=None)
    page = parse(roots.post(f"{PEOPLE}/ann/password", {"password": PASSWORD}).content)
    [made] = [text for text in page.texts if len(text) == 16 and " " not in text]
    assert User.objects.get(pk=ann.pk).check_password(made)
    assert not ann.access_tokens.exists()
    assert made not in roots.get(f"{PEOPLE}/ann/password").content.decode()


@pytest.mark.parametrize("path", ["password", "delete"])
def test_without_ones_own_password_nothing_is_done(
    roots: Client, ann: User, path: str
) -> None:
    form = {"new_password": "four other unrelated words"}
    for password, fault in (("", "Fill this in."), ("wrong", "The password is wrong.")):
        page = roots.post(f"{PEOPLE}/ann/{path}", {**form, "password": password})
        assert page.status_code == HTTPStatus.OK
        assert fault in page.content.decode()
    assert User.objects.get(pk=ann.pk).check_password(PASSWORD)


def test_guesses_at_ones_own_password_are_counted(
    roots: Client, ann: User, settings: Settings
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_SIGN_IN = Rate(1, 3600)
    roots.post(f"{PEOPLE}/ann/delete", {"password": "wrong"})
    answer = roots.post(f"{PEOPLE}/ann/delete", {"password": PASSWORD})
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert User.objects.filter(pk=ann.pk).exists()


def test_a_deletion_shows_its_preview_and_its_receipt(
    roots: Client, ann: User, message: Message
) -> None:
    before = roots.get(f"{PEOPLE}/ann/delete").content.decode()
    after = roots.post(f"{PEOPLE}/ann/delete", {"password": PASSWORD}).content.decode()
    for page in (before, after):
        assert "<dt>Messages in them</dt><dd>1</dd>" in page
        assert "Backups" in page
    assert "Nothing of @ann is left" in after
    assert not User.objects.filter(username="ann").exists()


def test_ones_own_account_is_left_alone(roots: Client) -> None:
    ones_own, before = f"{PEOPLE}/root", all_rows()
    for action in ("suspend", "delete", "password"):
        answer = roots.post(f"{ones_own}/{action}", {"password": PASSWORD})
        assert answer.status_code == HTTPStatus.CONFLICT
    assert all_rows() == before
    assert f"{ones_own}/delete" not in links(roots, f"{PEOPLE}/@root")


def test_markup_in_names_is_text(roots: Client, make_user: MakeUser) -> None:
    make_user("eve", display_name="<b>Eve</b>")
    for path in ("", "/@eve", "/eve/password", "/eve/delete", "?q=eve"):
        assert b"<b>Eve" not in roots.get(f"{PEOPLE}{path}").content


def test_further_pages_keep_what_is_looked_for(
    roots: Client, make_user: MakeUser
) -> None:
    for number in range(51):
        make_user(f"person{number}")
    for query in ("?q=person", "?suspended=1", "?"):
        User.objects.exclude(username="root").update(is_active=query != "?suspended=1")
        [further] = [
            link for link in links(roots, f"{PEOPLE}{query}") if "cursor=" in link
        ]
        assert further.startswith(query)
        assert b"@person" in roots.get(f"{PEOPLE}{further}").content


def test_the_place_is_renamed(roots: Client) -> None:
    answer = roots.post("/administration/settings", {"server_name": "Elm Street"})
    assert answer.status_code == HTTPStatus.FOUND
    text = roots.get("/administration/settings").content.decode()
    assert " · Elm Street</title>" in text
    refused = roots.post("/administration/settings", {"server_name": "x" * 61})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "x" * 61 in refused.content.decode()


def test_the_overview_counts(roots: Client, message: Message) -> None:
    text = parse(roots.get("/administration").content).text
    assert "Messages a day" in text
    assert "Free on its disk" in text or "Database" in text
