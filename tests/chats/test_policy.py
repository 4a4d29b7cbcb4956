"""What every page says about itself: sources, caches, size."""

import gzip
from http import HTTPStatus

import pytest
from django.test import Client

from messaging.models import User

PAGES = [
    "/conversations",
    "/conversations/new",
    "/inbox",
    "/notifications",
    "/people",
    "/people/blocked",
    "/settings",
    "/settings/tokens",
    "/settings/sessions",
    "/account/password",
    "/account/delete",
]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/nowhere", *PAGES])
def test_a_page_runs_nothing_that_stands_in_it(anns: Client, path: str) -> None:
    answer = anns.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_not_kept_and_names_no_other_server(anns: Client, path: str) -> None:
    answer = anns.get(path)
    page = answer.content.decode()
    assert answer.status_code == HTTPStatus.OK
    assert "no-store" in answer.headers["Cache-Control"]
    assert "//" not in page.replace("<!--", "")
    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page
    assert " onclick" not in page


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_people_who_are_signed_in(db: None, path: str) -> None:
    answer = Client().get(path)
    assert answer.headers["Location"] == f"/sign-in?next={path}"


@pytest.mark.parametrize(
    "path", ["/sign-out", "/inbox/read", "/messages/1/read", "/conversations/new"]
)
def test_a_write_needs_the_csrf_token(ann: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    answer = client.post(path)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert b"too old" in answer.content


def test_pages_travel_compressed(anns: Client) -> None:
    answer = anns.get("/conversations", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"Parley" in gzip.decompress(answer.content)
    style = anns.get("/static/chats/parley.css", headers={"Accept-Encoding": "gzip"})
    assert style.headers["Content-Encoding"] == "gzip"
    style.close()


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/nowhere"])
def test_answers_of_the_api_do_not(anns: Client, path: str) -> None:
    answer = anns.get(path, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.json()


def test_an_own_style_is_nobody_elses(ann: User, bob: User, anns: Client) -> None:
    assert f'"{ann.pk}"' in anns.get(f"/account/{ann.pk}/own.css").content.decode()
    assert anns.get(f"/account/{bob.pk}/own.css").status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("path", ["/nowhere", "/conversations/0", f"/messages/{2**63}"])
def test_what_is_not_there_is_missing(anns: Client, path: str) -> None:
    assert anns.get(path).status_code == HTTPStatus.NOT_FOUND


def test_browsers_are_told_so_in_words(db: None) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}
    assert b"There is nothing here" in Client().get("/x", headers=browser).content
    for path in ("/x", "/api/v1/x"):
        headers = browser if path.startswith("/api/") else {}
        assert Client().get(path, headers=headers).json()["code"] == "not_found"


def test_a_browser_finds_an_icon(db: None) -> None:
    icon = Client().get("/favicon.ico", follow=True)
    assert icon.headers["Content-Type"] == "image/svg+xml"
    icon.close()
