"""Deleting one's account: over the API, in a browser session, on the page."""

from http import HTTPStatus

import pytest
from django.test import Client

from messaging.models import Message, User
from tests.api_client import ApiClient
from tests.conftest import PASSWORD, ClientOf

PAGE = "/account/delete"


@pytest.fixture
def signed_in(ann: User) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def test_the_receipt_says_what_the_preview_said(
    ann: User, message: Message, client_of: ClientOf
) -> None:
    client = client_of(ann)
    preview = client.get("/me/deletion")
    assert preview.json["direct_messages"] == 1
    receipt = client.call("DELETE", "/me", {"password": PASSWORD})
    assert (receipt.status, receipt.json) == (200, preview.json)
    assert not User.objects.filter(username="ann").exists()
    assert client.get("/me").code == "not_authenticated"


def test_a_wrong_password_keeps_everything(
    ann: User, message: Message, client_of: ClientOf
) -> None:
    answer = client_of(ann).call("DELETE", "/me", {"password": "guessed"})
    assert (answer.status, answer.code) == (403, "wrong_password")
    assert User.objects.filter(username="ann").exists()
    assert Message.objects.get() == message


def test_a_browser_session_ends_with_the_account(ann: User, signed_in: Client) -> None:
    answer = signed_in.delete(
        "/api/v1/me", {"password": PASSWORD}, content_type="application/json"
    )
    assert answer.status_code == HTTPStatus.OK
    assert signed_in.get("/api/v1/me").status_code == HTTPStatus.UNAUTHORIZED


def test_nobody_previews_without_signing_in(anonymous: ApiClient) -> None:
    assert anonymous.get("/me/deletion").code == "not_authenticated"


def test_the_page_asks_before_it_deletes(
    ann: User, message: Message, signed_in: Client
) -> None:
    page = signed_in.get(PAGE).content.decode()
    assert "cannot be undone" in page
    assert "<dt>Messages in them</dt><dd>1</dd>" in page
    assert User.objects.filter(username="ann").exists()


def test_the_page_deletes_with_the_password_and_shows_the_receipt(
    ann: User, message: Message, signed_in: Client
) -> None:
    page = signed_in.post(PAGE, {"password": PASSWORD}).content.decode()
    assert "Your account is deleted" in page
    assert "<dt>Messages in them</dt><dd>1</dd>" in page
    assert not User.objects.filter(username="ann").exists()
    assert signed_in.get(PAGE).status_code == HTTPStatus.FOUND


@pytest.mark.parametrize("password", ["", "guessed"])
def test_the_page_deletes_nothing_without_the_password(
    password: str, ann: User, message: Message, signed_in: Client
) -> None:
    page = signed_in.post(PAGE, {"password": password})
    assert page.status_code == HTTPStatus.OK
    assert "errorlist" in page.content.decode()
    assert User.objects.filter(username="ann").exists()


def test_the_page_needs_a_sign_in(bob: User) -> None:
    client = Client()
    asked = client.get(PAGE)
    assert asked.headers["Location"] == f"/sign-in?next={PAGE}"
    client.post(asked.headers["Location"], {"username": "BOB", "password": PASSWORD})
    assert "bob" in client.get(PAGE).content.decode()


def test_the_page_is_protected_against_forged_posts(ann: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    forged = client.post(PAGE, {"password": PASSWORD})
    assert forged.status_code == HTTPStatus.FORBIDDEN
    assert User.objects.filter(username="ann").exists()
