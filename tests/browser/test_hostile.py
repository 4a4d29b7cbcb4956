"""Fifty hostile contents, wherever a browser shows them, run nothing and load nothing."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import httpx
import pytest
from django.conf import settings
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import Browse, NewPerson
from tests.browser.pages import in_main
from tests.browser.signed_in_users import TIMEOUT, SignedInUser
from tests.chats.hostile import HOSTILE
from tests.live_server import LiveServer

# A name is a line, of at most so many characters.
NAMES: Final = [text for text in HOSTILE if len(text) <= 100 and text.isprintable()]


@pytest.fixture(scope="session")
def service(server: LiveServer, server_environment: Mapping[str, str]) -> httpx.Client:
    """What brings people who have no password: hashing fifty takes long."""
    made = subprocess.run(
        [sys.executable, "manage.py", "create_service_token", "browser-tests"],
        env=server_environment,
        cwd=settings.BASE_DIR,
        check=True,
        capture_output=True,
        text=True,
    )
    client = httpx.Client(
        base_url=f"{server.urls[0]}/api/v1",
        headers={"Authorization": f"Bearer {made.stdout.strip()}"},
        timeout=TIMEOUT,
    )
    server.clients.append(client)
    return client


def writer(service: httpx.Client, number: int, name: str) -> Mapping[str, str]:
    """Someone with a hostile name; answers with what authorises them."""
    person = {"username": f"hostile-{number}", "display_name": name}
    service.post("/service/users", json=person).raise_for_status()
    token = service.post(f"/service/users/{person['username']}/tokens", json={})
    return {"Authorization": f"Bearer {token.raise_for_status().json()['token']}"}


def scroll_through(page: Page, path: str, rows: str, number: int) -> None:
    """Load the page, and what comes with scrolling, until all is there."""
    page.goto(path)
    while (before := page.locator(rows).count()) < number:
        # As by keyboard, at whichever end it is; once it is in view, it may be gone.
        with suppress(Error):
            page.locator("main .more a").first.press("Enter", timeout=2000)
        expect(page.locator(rows).nth(before)).to_be_attached()
    expect(page.locator(rows)).to_have_count(number)


def test_hostile_names_and_titles(
    browse: Browse,
    service: httpx.Client,
    server: LiveServer,
    new_person: NewPerson,
) -> None:
    ann = new_person("Ann")
    for number, name in enumerate(NAMES):
        headers = writer(service, number, name)
        group = service.post(
            "/conversations",
            headers=headers,
            json={"kind": "group", "title": name, "participants": [ann.username]},
        )
        service.post(
            f"/conversations/{group.raise_for_status().json()['id']}/messages",
            headers=headers,
            json={"content": f"@{ann.username} {name}"},
        ).raise_for_status()
        ann.put(f"/blocks/hostile-{number}")
    page = browse(ann)
    scroll_through(page, "/conversations", "#list-rows > li", len(NAMES))
    scroll_through(page, "/inbox", ".mail", len(NAMES))
    scroll_through(page, "/notifications", ".mail", len(NAMES))
    scroll_through(page, "/people?q=hostile-", ".person", len(NAMES))
    scroll_through(page, "/people/blocked", ".person", len(NAMES))
    for conversation_id in ann.get("/conversations?limit=10").json()["items"]:
        page.goto(f"/conversations/{conversation_id['id']}/details")
        expect(in_main(page, conversation_id["title"]).first).to_be_visible()


def test_hostile_messages_and_histories(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    root = ann.say(conversation_id, "first")
    for content in HOSTILE:
        ann.say(conversation_id, content, reply_to=root)
        ann.patch(f"/messages/{root}", {"content": content})
    page = browse(bob)
    scroll_through(
        page, f"/conversations/{conversation_id}", ".message", len(HOSTILE) + 1
    )
    scroll_through(page, f"/messages/{root}/history", ".version", len(HOSTILE) + 1)
    page.goto(f"/messages/{root}/thread")
    expect(page.locator(".message")).to_have_count(len(HOSTILE) + 1)
    read(page, ann, conversation_id)


def read(page: Page, sender: SignedInUser, conversation_id: int) -> None:
    """What stands on the page is what was sent, letter by letter."""
    shown = page.locator(".body").all_inner_texts()
    sent = sender.get(f"/conversations/{conversation_id}/messages?limit=200").json()[
        "items"
    ]
    assert {"".join(text.split()) for text in shown} == {
        "".join(message["content"].split()) for message in sent
    }
