"""Who is calling: tokens, browser sessions, and nobody."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from django.utils import timezone

from messaging.ids import TokenId, UserId
from messaging.models import AccessToken, Conversation, Message, Session, User
from messaging.services.tokens import issue_token, revoke_token
from tests.api_client import API, ApiClient
from tests.conftest import PASSWORD

ME = f"{API}/me"


def test_a_token_signs_in(as_ann: ApiClient, ann: User) -> None:
    assert as_ann.get("/me").json == {
        "id": ann.pk,
        "username": "ann",
        "display_name": "Ann",
        "who_may_add": "everyone",
        "shows_presence": True,
        "send_key": "enter",
    }


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic YW5uOng=", "Token x"],
)
def test_without_a_valid_token_nobody_is_signed_in(
    db: None, header: str | None
) -> None:
    client = ApiClient()
    headers = {} if header is None else {"Authorization": header}
    answer = client.call("GET", "/me", headers=headers)
    assert (answer.status, answer.code) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("end", ["expired", "revoked", "suspended"])
def test_a_token_that_ended_signs_nobody_in(ann: User, end: str) -> None:
    issued = issue_token(user=ann, name="", expires_in=timedelta(hours=1))
    client = ApiClient(issued.secret)
    assert client.get("/me").status == HTTPStatus.OK
    if end == "expired":
        AccessToken.objects.update(expires_at=timezone.now())
    elif end == "revoked":
        revoke_token(owner=UserId(ann.pk), token_id=TokenId(issued.token.pk))
    else:
        User.objects.update(is_active=False)
    answer = client.get("/me")
    assert (answer.status, answer.code) == (401, "not_authenticated")


def test_a_session_reads_without_a_csrf_token(browser: Client) -> None:
    assert browser.get(ME).json()["username"] == "ann"


def test_a_session_writes_with_the_csrf_token_alone(browser: Client, bob: User) -> None:
    body = {"receiver": "bob", "content": "hi"}
    refused = browser.post(f"{API}/messages", body, "application/json")
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert refused.json()["code"] == "csrf_failed"
    assert not Message.objects.exists()
    sent = browser.post(
        f"{API}/messages",
        body,
        "application/json",
        headers={"X-CSRFToken": "c" * 32},
    )
    assert sent.status_code == HTTPStatus.CREATED
    assert Message.objects.get().content == "hi"


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_no_write_of_a_session_goes_without_the_csrf_token(
    browser: Client, message: Message, method: str
) -> None:
    paths = {"PATCH": f"/messages/{message.pk}", "DELETE": f"/messages/{message.pk}"}
    path = paths.get(method, f"/conversations/{message.conversation_id}/read")
    answer = browser.generic(method, f"{API}{path}", b"{}", "application/json")
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert answer.json()["code"] == "csrf_failed"
    assert Message.objects.get().content == "hello"


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic x", ""])
def test_an_invalid_token_does_not_fall_back_to_the_session(
    browser: Client, header: str
) -> None:
    answer = browser.get(ME, headers={"Authorization": header})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.json()["code"] == "not_authenticated"


def test_a_token_takes_precedence_over_the_session(browser: Client, bob: User) -> None:
    secret = issue_token(user=bob, name="", expires_in=None).secret
    answer = browser.get(ME, headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["username"] == "bob"


def test_a_write_with_a_token_needs_no_csrf_token(browser: Client, bob: User) -> None:
    secret = issue_token(user=bob, name="", expires_in=None).secret
    answer = browser.patch(
        ME,
        {"display_name": "Robert"},
        "application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == HTTPStatus.OK
    assert User.objects.get(username="bob").display_name == "Robert"


def test_a_suspended_persons_session_ends(browser: Client) -> None:
    User.objects.update(is_active=False)
    assert browser.get(ME).status_code == HTTPStatus.UNAUTHORIZED


def test_a_session_ends_after_two_weeks(browser: Client) -> None:
    [session] = Session.objects.all()
    assert (
        timedelta(days=13) < session.expire_date - timezone.now() < timedelta(days=15)
    )
    Session.objects.update(expire_date=timezone.now())
    assert browser.get(ME).status_code == HTTPStatus.UNAUTHORIZED


def test_an_invented_session_signs_nobody_in(db: None) -> None:
    client = Client()
    client.cookies["sessionid"] = "x" * 32
    assert client.get(ME).status_code == HTTPStatus.UNAUTHORIZED


def test_the_page_cache_requires_the_same_authentication(
    browser: Client, message: Message
) -> None:
    page = f"{API}/conversations/{message.conversation_id}/messages"
    assert browser.get(page).status_code == HTTPStatus.OK
    bad = browser.get(page, headers={"Authorization": "Bearer wrong"})
    assert bad.status_code == HTTPStatus.UNAUTHORIZED
    assert Client().get(page).json()["code"] == "not_authenticated"


def test_a_new_password_ends_the_other_sessions(browser: Client, ann: User) -> None:
    other = Client()
    other.force_login(ann)
    token = issue_token(user=ann, name="", expires_in=None)
    answer = browser.put(
        f"{ME}/password",
        {"current_password": PASSWORD, "new_password": "another horse, again"},
        "application/json",
        headers={"X-CSRFToken": "c" * 32},
    )
    assert answer.status_code == HTTPStatus.NO_CONTENT
    assert browser.get(ME).status_code == HTTPStatus.OK
    assert other.get(ME).status_code == HTTPStatus.UNAUTHORIZED
    assert ApiClient(token.secret).get("/me").status == HTTPStatus.UNAUTHORIZED


def test_a_session_has_no_current_token_to_revoke(browser: Client) -> None:
    answer = browser.delete(
        f"{API}/auth/tokens/current", headers={"X-CSRFToken": "c" * 32}
    )
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.json()["code"] == "token_not_found"


def test_a_session_starts_a_group(browser: Client) -> None:
    answer = browser.post(
        f"{API}/conversations",
        {"kind": "group", "title": "Notes", "participants": []},
        "application/json",
        headers={"X-CSRFToken": "c" * 32},
    )
    assert answer.status_code == HTTPStatus.CREATED
    assert Conversation.objects.get().title == "Notes"
