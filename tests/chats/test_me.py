"""The profile, access tokens, browsers."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from chats.devices import device_name
from messaging.models import AccessToken, Block, NameEntry, Session, User
from messaging.models.sessions import digest_of
from messaging.rates import Rate
from messaging.services.tokens import issue_token, valid_token
from tests.browsers import browser_of
from tests.chats.html import parse
from tests.conftest import PASSWORD
from tests.messaging.other_connection import in_thread

IN_PLACE = {"HX-Request": "true"}
TOKEN = {"name": "backup", "days": "30", "password": PASSWORD}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
    " (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
)


def test_the_name_is_changed(anns: Client, ann: User) -> None:
    answer = anns.post("/settings", {"display_name": " Anna "})
    assert answer.headers["Location"] == "/settings"
    ann.refresh_from_db()
    assert ann.display_name == "Anna"


def test_a_refused_name_changes_nothing(anns: Client, ann: User) -> None:
    answer = anns.post("/settings", {"display_name": "x" * 101})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = parse(answer.content)
    assert "A display name has 1 to 100" in page.text
    ann.refresh_from_db()
    assert ann.display_name == "Ann"


def test_a_token_is_shown_in_the_answer_alone(anns: Client, ann: User) -> None:
    answer = anns.post("/settings/tokens", TOKEN)
    assert "no-store" in answer.headers["Cache-Control"]
    (secret,) = [
        text for text in parse(answer.content).texts if valid_token(secret=text)
    ]
    token = AccessToken.objects.get()
    assert (token.user, token.name) == (ann, "backup")
    assert token.expires_at
    assert token.expires_at - token.created_at == timedelta(days=30)
    assert secret not in anns.get("/settings/tokens").content.decode()


def test_a_token_may_last_for_ever(anns: Client) -> None:
    anns.post("/settings/tokens", {**TOKEN, "days": "0"})
    assert AccessToken.objects.get().expires_at is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"password": "wrong"}, "The password is wrong."),
        ({"days": "7"}, "Choose one of these."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "\x00"}, "This holds a character that no text can have."),
    ],
)
def test_a_refused_token_is_not_made(
    anns: Client, change: dict[str, str], text: str
) -> None:
    answer = anns.post("/settings/tokens", {**TOKEN, **change})
    assert text in parse(answer.content).text
    assert not AccessToken.objects.exists()


def test_guesses_at_the_password_are_counted(anns: Client, settings: Settings) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_SIGN_IN = Rate(1, 3600)
    anns.post("/settings/tokens", {**TOKEN, "password": "wrong"})
    answer = anns.post("/settings/tokens", TOKEN)
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert not AccessToken.objects.exists()


def test_a_token_is_revoked_by_its_owner(anns: Client, bobs: Client, ann: User) -> None:
    token = issue_token(user=ann, name="phone", expires_in=None).token
    path = f"/settings/tokens/{token.pk}/revoke"
    assert bobs.post(path).status_code == HTTPStatus.NOT_FOUND
    answer = anns.post(path, headers=IN_PLACE)
    assert "The token is revoked." in parse(answer.content).text
    assert not AccessToken.objects.exists()


def test_expired_tokens_are_marked(anns: Client, ann: User) -> None:
    issue_token(user=ann, name="old", expires_in=timedelta(seconds=-1))
    assert "expired" in parse(anns.get("/settings/tokens").content).text


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("curl/8.0", ""),
    ],
)
def test_a_browser_is_called_by_what_it_is(agent: str, name: str) -> None:
    assert device_name(agent) == name


def test_the_sign_in_is_remembered_with_its_browser(ann: User) -> None:
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/sign-in", {"username": "ann", "password": PASSWORD})
    page = parse(client.get("/settings/sessions").content)
    assert "Firefox on Linux" in page.text
    assert "this one" in page.text
    assert "Signed in" in page.text


def references(client: Client) -> list[str]:
    page = parse(client.get("/settings/sessions").content)
    return [
        form["action"]
        for form in page.all("form")
        if form.get("action", "").endswith("/end")
    ]


def test_a_session_is_ended_by_a_name_that_opens_nothing(
    ann: User, anns: Client
) -> None:
    in_thread = browser_of(ann)
    (path,) = references(anns)
    keys = [client.session.session_key or "none" for client in (in_thread, anns)]
    content = anns.get("/settings/sessions").content.decode()
    assert not any(key in content for key in keys)
    anns.post(path)
    assert in_thread.get("/settings").status_code == HTTPStatus.FOUND
    assert anns.get("/settings").status_code == HTTPStatus.OK
    assert anns.post(path).status_code == HTTPStatus.NOT_FOUND


def test_a_session_is_its_persons(ann: User, anns: Client, bobs: Client) -> None:
    browser_of(ann)
    (path,) = references(anns)
    answer = bobs.post(path)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "You are not signed in there." in parse(answer.content).text
    assert Session.objects.filter(user=ann).count() == 2


def test_all_others_are_ended_at_once(ann: User, anns: Client, bobs: Client) -> None:
    browser_of(ann)
    browser_of(ann)
    anns.post("/settings/sessions/end-others")
    assert Session.objects.filter(user=ann).count() == 1
    assert anns.get("/settings").status_code == HTTPStatus.OK
    assert bobs.get("/settings").status_code == HTTPStatus.OK


def test_what_has_ended_is_not_listed(ann: User, anns: Client) -> None:
    browser_of(ann)
    (path,) = references(anns)
    Session.objects.exclude(pk=digest_of(anns.session.session_key or "")).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    assert references(anns) == []
    assert anns.post(path).status_code == HTTPStatus.NOT_FOUND


def test_a_new_password_keeps_what_is_known_of_this_browser(ann: User) -> None:
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/sign-in", {"username": "ann", "password": PASSWORD})
    form = {"current": PASSWORD, "new_password": "four other unrelated words"}
    client.post("/account/password", form)
    assert "Firefox on Linux" in parse(client.get("/settings/sessions").content).text


def test_everything_else_is_a_link_away(anns: Client) -> None:
    links = {link["href"] for link in parse(anns.get("/settings").content).all("a")}
    assert links >= {
        "/account/password",
        "/account/delete",
        "/settings/sessions",
        "/settings/tokens",
        "/people/blocked",
        "/api/v1/me/export",
        "/api/v1/docs",
    }


def _delete_blocked(sender: object, instance: Block, **_: object) -> None:
    """By somebody else, where there can be somebody beside a writer."""
    if connection.vendor == "sqlite":
        for rows in (
            NameEntry.objects.filter(user=instance.blocked_id),
            User.objects.filter(pk=instance.blocked_id),
        ):
            rows._raw_delete(rows.db)
    else:
        in_thread(User.objects.get(pk=instance.blocked_id).delete).join()


@pytest.mark.django_db(transaction=True)
def test_what_is_written_of_someone_just_deleted_is_missing(
    anns: Client, bob: User
) -> None:
    anns.raise_request_exception = False
    pre_save.connect(_delete_blocked, sender=Block)
    try:
        answer = anns.post("/people/bob/block")
    finally:
        pre_save.disconnect(_delete_blocked, sender=Block)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert not Block.objects.exists()


@pytest.mark.parametrize("who", ["contacts", "nobody"])
def test_who_may_add_one_to_groups_is_set_here(
    anns: Client, ann: User, who: str
) -> None:
    shown = anns.get("/settings").content.decode()
    assert '<option value="everyone" selected>' in shown
    text = anns.post(
        "/settings", {"display_name": "Ann", "who_may_add": who}, follow=True
    )
    assert "Your settings are saved." in parse(text.content).text
    assert f'<option value="{who}" selected>' in text.content.decode()
    ann.refresh_from_db()
    assert (ann.display_name, ann.who_may_add) == ("Ann", who)


def test_whether_one_shows_ones_presence_is_set_here(anns: Client, ann: User) -> None:
    for shown in (False, True):
        form = {"display_name": "Ann", "shows_presence": str(shown)}
        page = anns.post("/settings", form, follow=True).text
        assert f'<option value="{shown}" selected>' in page
        ann.refresh_from_db()
        assert ann.shows_presence is shown
    anns.post("/settings", {"display_name": "Ann", "shows_presence": "False"})
    # A form without this field leaves it as it is; an unknown choice changes nothing.
    anns.post("/settings", {"display_name": "Anna"})
    anns.post("/settings", {"display_name": "Zoe", "shows_presence": "maybe"})
    ann.refresh_from_db()
    assert (ann.display_name, ann.shows_presence) == ("Anna", False)


@pytest.mark.parametrize("key", ["shift_enter", "enter"])
def test_which_key_sends_is_set_here(anns: Client, ann: User, key: str) -> None:
    shown = anns.get("/settings").content.decode()
    assert '<option value="enter" selected>' in shown
    text = anns.post("/settings", {"display_name": "Ann", "send_key": key}, follow=True)
    assert f'<option value="{key}" selected>' in text.content.decode()
    ann.refresh_from_db()
    assert (ann.send_key, ann.who_may_add) == (key, "everyone")


def test_an_unknown_choice_of_who_changes_nothing(anns: Client, ann: User) -> None:
    anns.post("/settings", {"display_name": "Anna", "who_may_add": "friends"})
    ann.refresh_from_db()
    assert (ann.display_name, ann.who_may_add) == ("Ann", "everyone")


def test_one_token_too_many_is_refused_with_the_oldest_named(
    anns: Client, ann: User, settings: Settings
) -> None:
    settings.PARLEY_MAX_TOKENS = 1
    issue_token(user=ann, name="phone", expires_in=None)
    answer = anns.post("/settings/tokens", TOKEN)
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "the oldest is “phone”" in parse(answer.content).text
    assert AccessToken.objects.get().name == "phone"


def test_of_too_many_browsers_the_one_unused_for_longest_is_signed_out(
    ann: User, settings: Settings
) -> None:
    settings.PARLEY_MAX_SESSIONS = 2
    browsers = [Client() for _ in range(3)]
    for browser in browsers:
        assert browser.login(username="ann", password=PASSWORD)
    statuses = [browser.get("/settings").status_code for browser in browsers]
    assert statuses == [HTTPStatus.FOUND, HTTPStatus.OK, HTTPStatus.OK]
    assert Session.objects.filter(user=ann).count() == 2


def test_who_may_add_is_no_optional_choice(anns: Client) -> None:
    page = anns.get("/settings").content.decode()
    assert '<label for="id_who_may_add">Who may add you to groups</label>' in page
