"""A session or token that ended receives no later event."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
import pytest
from django.conf import settings

from tests.browser.signed_in_users import SignedInUser
from tests.live.concurrent_calls import send, start_group
from tests.live.event_stream import logged, open_stream
from tests.live_server import PASSWORD, LiveServer, Person

NEW = f"new {PASSWORD}"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody listens with a session and with a token, and acts in another browser."""

    person: SignedInUser
    token: httpx.Client
    elsewhere: SignedInUser
    environment: Mapping[str, str]

    def manage(self, *arguments: str, stdin: str = "") -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment,
            cwd=settings.BASE_DIR,
            input=stdin.encode(),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def set_on_account(self, action: str) -> None:
        """As the admin does, which saves or deletes the account as a whole."""
        who = f"User.objects.get(username={self.person.username!r})"
        self.manage("shell", "-v0", "-c", f"user = {who}\n{action}")


End = Callable[[Account], object]


def sign_out_here(account: Account) -> None:
    client = account.person.client
    form = {"csrfmiddlewaretoken": client.cookies["csrftoken"]}
    assert client.post("/sign-out", data=form).is_redirect


def sign_out_elsewhere(account: Account) -> None:
    client = account.elsewhere.client
    form = {"csrfmiddlewaretoken": client.cookies["csrftoken"]}
    assert client.post("/settings/sessions/end-others", data=form).is_redirect


ENDS_OF_SESSIONS: Mapping[str, End] = {
    "signed out in another tab": sign_out_here,
    "signed out everywhere else": sign_out_elsewhere,
}
ENDS_OF_TOKENS: Mapping[str, End] = {
    "revoked": lambda account: account.token.delete("/auth/tokens/current"),
}
ENDS_OF_ALL: Mapping[str, End] = {
    "password changed elsewhere": lambda account: account.elsewhere.put(
        "/me/password", {"current_password": PASSWORD, "new_password": NEW}
    ),
    "set_password": lambda account: account.manage(
        "set_password", account.person.username, "--password-stdin", stdin=NEW
    ),
    "revoke_tokens": lambda account: account.manage(
        "revoke_tokens", account.person.username
    ),
    "suspended": lambda account: account.set_on_account(
        "user.is_active = False; user.save()"
    ),
    "account deleted": lambda account: account.set_on_account("user.delete()"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", [*ENDS_OF_SESSIONS, *ENDS_OF_ALL], ids=lambda name: name.replace(" ", "-")
)
def test_a_browser_receives_no_event_after_its_session_ended(
    servers: LiveServer, people: tuple[Person, ...], name: str
) -> None:
    account, say = _account_and_sender(servers, people[0])
    end = {**ENDS_OF_SESSIONS, **ENDS_OF_ALL}[name]
    with open_stream(account.person.client, address="/api/v1/events") as stream:
        received = logged(stream)
        assert next(received).type == "ready"
        end(account)
        say("not for their eyes")
        assert "message.created" not in {each.type for each in received}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", [*ENDS_OF_TOKENS, *ENDS_OF_ALL], ids=lambda name: name.replace(" ", "-")
)
def test_a_client_receives_no_event_after_its_token_was_revoked(
    servers: LiveServer, people: tuple[Person, ...], name: str
) -> None:
    account, say = _account_and_sender(servers, people[0])
    end = {**ENDS_OF_TOKENS, **ENDS_OF_ALL}[name]
    with open_stream(account.token) as stream:
        received = logged(stream)
        assert next(received).type == "ready"
        end(account)
        say("not for their eyes")
        assert "message.created" not in {each.type for each in received}


def _account_and_sender(
    servers: LiveServer, other: Person
) -> tuple[Account, Callable[[str], int]]:
    """The account, and a function that sends a message to one of its groups."""
    person = SignedInUser.new(servers, "leaving")
    issued = servers.client(1).post(
        "/auth/tokens", json={"username": person.username, "password": PASSWORD}
    )
    token: str = issued.raise_for_status().json()["token"]
    member = Person(person.username, token)
    writer = servers.client(2, other)
    group = start_group(writer, member)
    account = Account(
        person,
        servers.client(1, member),
        SignedInUser.known(servers, person.username, PASSWORD),
        servers.environment,
    )
    return account, lambda content: send(writer, group, content)
