"""What every page says about itself: sources, caches, size."""

import gzip
from http import HTTPStatus

import pytest
from django.test import Client

from messaging.models import Conversation, User

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


@pytest.mark.parametrize("name", ["a%00b", "%00", "x" * 65, "é", "a%0Ab"])
@pytest.mark.parametrize(
    "path",
    [
        *("/people/{}/block", "/people/{}/unblock", "/settings/sessions/{}/end"),
        *(
            "/conversations/{group}/people/{}/remove",
            "/conversations/{group}/people/{}/own",
        ),
    ],
)
def test_what_nobody_can_be_called_is_missing(
    anns: Client, group: Conversation, path: str, name: str
) -> None:
    answer = anns.post(path.format(name, group=group.pk))
    assert answer.status_code == HTTPStatus.NOT_FOUND


def test_browsers_get_a_not_found_page_in_plain_words(db: None) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}
    page = Client().get("/x", headers=browser)
    assert b"There is nothing here" in page.content
    assert page.headers["Cache-Control"] == "private, no-store"
    for path in ("/x", "/api/v1/x"):
        headers = browser if path.startswith("/api/") else {}
        assert Client().get(path, headers=headers).json()["code"] == "not_found"


def test_a_browser_finds_an_icon(db: None) -> None:
    icon = Client().get("/favicon.ico", follow=True)
    assert icon.headers["Content-Type"] == "image/svg+xml"
    icon.close()
