"""People with an account on the live server, signed in as a browser is."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import httpx

from tests.live_server import PASSWORD, LiveServer

Body = Mapping[str, object]

# A test never waits for it to pass.
PATIENCE = 60

_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(slots=True)
class Someone:
    """`client` holds the cookies of one browser of theirs."""

    username: str
    client: httpx.Client

    @classmethod
    def new(cls, server: LiveServer, name: str) -> Self:
        """Sign up; what costs time in it is hashing the password, once."""
        username = f"{name.lower()}-{secrets.token_hex(4)}"
        form = {"username": username, "display_name": name, "password": PASSWORD}
        return cls(username, _through_the_door(server, "/sign-up", form))

    @classmethod
    def known(cls, server: LiveServer, username: str, password: str) -> Self:
        form = {"username": username, "password": password}
        return cls(username, _through_the_door(server, "/sign-in", form))

    @property
    def session(self) -> str:
        return self.client.cookies["sessionid"]

    def get(self, path: str) -> httpx.Response:
        return self._done("GET", path, None)

    def post(self, path: str, body: Body) -> httpx.Response:
        return self._done("POST", path, body)

    def put(self, path: str, body: Body | None = None) -> httpx.Response:
        return self._done("PUT", path, body)

    def patch(self, path: str, body: Body) -> httpx.Response:
        return self._done("PATCH", path, body)

    def id_of(self, path: str, body: Body) -> int:
        """Make something, and say which it is."""
        made: int = self.post(path, body).json()["id"]
        return made

    def talk_with(self, other: "Someone") -> int:
        body = {"kind": "direct", "participant": other.username}
        return self.id_of("/conversations", body)

    def group(self, title: str, *others: "Someone") -> int:
        names = [other.username for other in others]
        body = {"kind": "group", "title": title, "participants": names}
        return self.id_of("/conversations", body)

    def say(self, talk: int, content: str, *, reply_to: int | None = None) -> int:
        body = {"content": content, "parent_message_id": reply_to}
        return self.id_of(f"/conversations/{talk}/messages", body)

    def _done(self, method: str, path: str, body: Body | None) -> httpx.Response:
        headers = {"X-CSRFToken": self.client.cookies["csrftoken"]}
        answer = self.client.request(
            method, f"/api/v1{path}", json=body, headers=headers
        )
        return answer.raise_for_status()


def _through_the_door(
    server: LiveServer, path: str, form: Mapping[str, str]
) -> httpx.Client:
    client = httpx.Client(base_url=server.urls[0], timeout=PATIENCE)
    server.clients.append(client)
    token = _CSRF.search(client.get(path).raise_for_status().text)
    assert token
    sent = client.post(path, data={**form, "csrfmiddlewaretoken": token[1]})
    assert sent.is_redirect, sent.text
    return client
