"""Users of the live server, signed in with a session."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import httpx

from tests.live_server import PASSWORD, LiveServer

Body = Mapping[str, object]

# Seconds; never reached, unless a test fails.
TIMEOUT = 60

_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(slots=True)
class SignedInUser:
    """`client` holds the cookies of one browser of theirs."""

    username: str
    client: httpx.Client

    @classmethod
    def new(cls, server: LiveServer, name: str) -> Self:
        """Sign up; what costs time in it is hashing the password, once."""
        username = f"{name.lower()}-{secrets.token_hex(4)}"
        form = {"username": username, "display_name": name, "password": PASSWORD}
        return cls(username, _submitted_form(server, "/sign-up", form))

    @classmethod
    def known(cls, server: LiveServer, username: str, password: str) -> Self:
        form = {"username": username, "password": password}
        return cls(username, _submitted_form(server, "/sign-in", form))

    @property
    def session(self) -> str:
        return self.client.cookies["sessionid"]

    def get(self, path: str) -> httpx.Response:
        return self._done("GET", path, None)

    def post(self, path: str, body: Body) -> httpx.Response:
        return self._done("POST", path, body)

    def put(self, path: str, body: Body | None = None) -> httpx.Response:
        return self._done("PUT", path, body)

    def delete(self, path: str) -> httpx.Response:
        return self._done("DELETE", path, None)

    def patch(self, path: str, body: Body) -> httpx.Response:
        return self._done("PATCH", path, body)

    def id_of(self, path: str, body: Body) -> int:
        """Create something, and return its id."""
        made: int = self.post(path, body).json()["id"]
        return made

    def start_direct(self, other: "SignedInUser") -> int:
        body = {"kind": "direct", "participant": other.username}
        return self.id_of("/conversations", body)

    def group(self, title: str, *others: "SignedInUser") -> int:
        names = [other.username for other in others]
        body = {"kind": "group", "title": title, "participants": names}
        return self.id_of("/conversations", body)

    def say(
        self, conversation_id: int, content: str, *, reply_to: int | None = None
    ) -> int:
        body = {"content": content, "parent_message_id": reply_to}
        return self.id_of(f"/conversations/{conversation_id}/messages", body)

    def _done(self, method: str, path: str, body: Body | None) -> httpx.Response:
        headers = {"X-CSRFToken": self.client.cookies["csrftoken"]}
        answer = self.client.request(
            method, f"/api/v1{path}", json=body, headers=headers
        )
        return answer.raise_for_status()


def say_many(someone: SignedInUser, conversation_id: int, number: int) -> list[int]:
    return [someone.say(conversation_id, f"Number {each}.") for each in range(number)]


def unread(reader: SignedInUser) -> set[int]:
    """The sequences of what is unread."""
    found: set[int] = set()
    cursor = ""
    while True:
        page = reader.get(f"/inbox?limit=100{cursor}").json()
        found |= {each["sequence"] for each in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def remove_participant(owner: SignedInUser, group: int, member: SignedInUser) -> None:
    answer = owner.client.delete(
        f"/api/v1/conversations/{group}/participants/{member.username}",
        headers={"X-CSRFToken": owner.client.cookies["csrftoken"]},
    )
    answer.raise_for_status()


def _submitted_form(
    server: LiveServer, path: str, form: Mapping[str, str]
) -> httpx.Client:
    client = httpx.Client(base_url=server.urls[0], timeout=TIMEOUT)
    server.clients.append(client)
    token = _CSRF.search(client.get(path).raise_for_status().text)
    assert token
    sent = client.post(path, data={**form, "csrfmiddlewaretoken": token[1]})
    assert sent.is_redirect, sent.text
    return client
