"""The demo, and what else there is to see: one address for each page."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from tests.browser.signed_in_users import SignedInUser
from tests.live_server import PASSWORD, LiveServer

SIGNED_OUT_PAGES = ("sign_in", "sign_up", "join", "join_ended", "missing")
# Of pages that are answers to what is not there, or not any more.
ERRORS = {"missing": 404, "join_ended": 403}
ADMINISTRATION_PAGES = {
    "administration": "/administration",
    "administered_people": "/administration/people",
    "administered_person": "/administration/people/@jonas",
    "administered_password": "/administration/people/jonas/password",
    "administered_person_delete": "/administration/people/jonas/delete",
    "server_invitations": "/administration/invitations",
    "administered_settings": "/administration/settings",
    "welcome": "/administration/welcome",
}
PAGES = (
    "conversations",
    "nothing_found",
    "start_conversation",
    "conversation",
    "direct",
    "reply",
    "edit",
    "delete",
    "thread",
    "history",
    "receipts",
    "catch_up",
    "inbox",
    "notifications",
    "people",
    "people_found",
    "person",
    "go",
    "keys",
    "blocked",
    "group_owned",
    "group",
    "group_invitations",
    "direct_details",
    "settings",
    "password",
    "sessions",
    "looks",
    "privacy",
    "tokens",
    "delete_user",
)


def seed_demo(server: LiveServer, environment: Mapping[str, str]) -> SignedInUser:
    """Fill in the demo, and sign in to it."""
    seeded_demo(server, environment)
    password = Path(environment["PARLEY_DATA_DIR"], "demo-password").read_text()
    return SignedInUser.known(server, "maya", password.strip())


def seeded_demo(server: LiveServer, environment: Mapping[str, str]) -> str:
    """What the command says, whose last line is the link that signs in."""
    seeding = subprocess.run(
        [sys.executable, "manage.py", "seed_demo", "--url", server.urls[0]],
        env=environment,
        cwd=settings.BASE_DIR,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return seeding.stdout


def make_administrator(
    server: LiveServer, environment: Mapping[str, str]
) -> SignedInUser:
    """Create a superuser, and sign in."""
    subprocess.run(
        [
            *(sys.executable, "manage.py", "createsuperuser"),
            *("--noinput", "--username", "root"),
        ],
        env={**environment, "DJANGO_SUPERUSER_PASSWORD": PASSWORD},
        cwd=settings.BASE_DIR,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return SignedInUser.known(server, "root", PASSWORD)


def page_paths(maya: SignedInUser) -> dict[str, str]:
    """The path of each page, with something on it."""
    for username in ("kenji", "lucia"):
        maya.put(f"/blocks/{username}")
    conversation_ids: dict[str, int] = {
        conversation_id["title"]
        or conversation_id["participant"]["username"]: conversation_id["id"]
        for conversation_id in maya.get("/conversations").json()["items"]
    }
    supper, garden = (
        conversation_ids["Saturday supper"],
        conversation_ids["Elm Street garden"],
    )
    said: list[dict[str, object]] = maya.get(
        f"/conversations/{supper}/messages"
    ).json()["items"]
    question = next(
        each for each in said if str(each["content"]).startswith("Supper at")
    )
    message = f"/messages/{question['id']}"
    issued = maya.post(f"/conversations/{supper}/invitations", {"max_uses": 25}).json()
    return {
        **ADMINISTRATION_PAGES,
        "sign_in": "/sign-in",
        "sign_up": "/sign-up",
        "missing": "/nowhere",
        "conversations": "/conversations",
        "nothing_found": "/conversations?q=zeppelin",
        "start_conversation": "/conversations/new",
        "conversation": f"/conversations/{supper}",
        "direct": f"/conversations/{conversation_ids['jonas']}",
        "reply": f"/conversations/{supper}?reply={question['id']}",
        "edit": f"{message}/edit",
        "delete": f"{message}/delete",
        "thread": f"{message}/thread",
        "history": f"{message}/history",
        "receipts": f"{message}/receipts",
        "catch_up": "/catch-up",
        "inbox": "/inbox",
        "notifications": "/notifications",
        "people": "/people",
        "people_found": "/people?q=a",
        "person": "/people/@jonas",
        "go": "/go?q=s",
        "keys": "/keys",
        "blocked": "/people/blocked",
        "group_owned": f"/conversations/{supper}/details",
        "group": f"/conversations/{garden}/details",
        "group_invitations": f"/conversations/{supper}/invitations",
        "join": f"/join/{issued['invite_code']}",
        "join_ended": "/join/ended",
        "direct_details": f"/conversations/{conversation_ids['jonas']}/details",
        "settings": "/settings",
        "password": "/account/password",
        "sessions": "/settings/sessions",
        "looks": "/settings/looks",
        "privacy": "/privacy",
        "tokens": "/settings/tokens",
        "delete_user": "/account/delete",
    }
