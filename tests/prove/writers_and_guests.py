"""Concurrent users of a server: writers, who record acknowledged writes, and guests.

A write is sent again, with its `Idempotency-Key`, until it is acknowledged: at the
end there is nothing that may or may not have happened, and `tests.prove.acknowledged_writes` can
ask for all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from uuid import uuid4

import httpx

from tests.api_client import Json
from tests.live_server import PASSWORD, Person
from tests.prove.server_state import ServerState

# Made again after it was done and its answer lost, a deletion finds nothing.
_GONE = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND}


@dataclass(slots=True)
class Writer:
    """One person, and what the server has acknowledged to them."""

    person: Person
    client: httpx.Client
    neighbour: Person
    group: int
    # Another group, of the same people.
    annex: int
    server_state: ServerState
    # By id: the content, None once deleted.
    messages: dict[int, str | None] = field(default_factory=dict)
    sent: int = 0
    read: set[int] = field(default_factory=set)
    # In the group, up to this sequence.
    read_up_to: int = 0
    failure: BaseException | None = None

    def say(self, content: str) -> httpx.Response:
        """Try to send to the group, once."""
        path = f"/conversations/{self.group}/messages"
        answer = self.client.post(path, json={"content": content})
        if answer.status_code == HTTPStatus.CREATED:
            self.messages[answer.json()["id"]] = content.strip()
            self.sent += 1
        return answer

    def write(self, sends: int | None) -> None:
        """Send so many messages, or until the end; edit, read and delete in between."""
        try:
            while not self.server_state.ending.is_set() and self.sent != sends:
                self._step()
        except BaseException as failure:  # noqa: BLE001  # for the thread that waits
            self.failure = failure

    def _step(self) -> None:
        number = self.sent
        self._send(number)
        if number % 4 == 1:
            self._edit()
        if number % 4 == 2:
            self._read_group()
        if number % 5 == 3:
            self._mark_read()
        if number % 7 == 5:
            self._delete()

    def _send(self, number: int) -> None:
        body: Json = {"content": f"{self.person.username} {number}"}
        path = f"/conversations/{self.group}/messages"
        if number % 3 == 2:
            path, body["receiver"] = "/messages", self.neighbour.username
        elif number % 5 == 1:
            path = f"/conversations/{self.annex}/messages"
        elif number % 6 == 4:
            body["parent_message_id"] = self._own_in_group()
        answer = self._once("POST", path, body, {HTTPStatus.CREATED})
        self.messages[answer.json()["id"]] = str(body["content"])
        self.sent += 1

    def _edit(self) -> None:
        message, content = self._own(-1)
        body: Json = {"content": f"{content}, edited"}
        self._once("PATCH", f"/messages/{message}", body, {HTTPStatus.OK})
        self.messages[message] = f"{content}, edited"

    def _delete(self) -> None:
        message, _ = self._own(0)
        # Made again after it was done and its answer lost, it finds nothing, or a
        # tombstone.
        fine = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
        self._once("DELETE", f"/messages/{message}", None, fine)
        self.messages[message] = None

    def _read_group(self) -> None:
        path = f"/conversations/{self.group}"
        page = self.server_state.retried(
            lambda: self.client.get(f"{path}/messages?limit=10")
        )
        assert page.status_code == HTTPStatus.OK, page.text
        [newest, *_] = page.json()["items"]
        body: Json = {"up_to_sequence": newest["sequence"]}
        self._once("PUT", f"{path}/read", body, {HTTPStatus.NO_CONTENT})
        self.read_up_to = max(self.read_up_to, newest["sequence"])

    def _mark_read(self) -> None:
        inbox = self.server_state.retried(
            lambda: self.client.get("/inbox?limit=1")
        ).json()
        for item in inbox["items"]:
            # Its sender may delete it meanwhile.
            fine = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
            answer = self._once("PUT", f"/messages/{item['id']}/read", None, fine)
            if answer.status_code == HTTPStatus.NO_CONTENT:
                self.read.add(item["id"])

    def _own(self, index: int) -> tuple[int, str]:
        kept = [(key, text) for key, text in self.messages.items() if text is not None]
        return kept[index]

    def _own_in_group(self) -> int | None:
        own = self._own(-1)[0]
        answer = self.server_state.retried(lambda: self.client.get(f"/messages/{own}"))
        return own if answer.json()["conversation_id"] == self.group else None

    def _once(
        self, method: str, path: str, body: Json | None, fine: set[HTTPStatus]
    ) -> httpx.Response:
        headers = {"Idempotency-Key": uuid4().hex} if body is not None else {}
        answer = self.server_state.retried(
            lambda: self.client.request(method, path, json=body, headers=headers)
        )
        assert answer.status_code in fine, f"{method} {path}: {answer.text}"
        self.server_state.count()
        return answer


@dataclass(slots=True)
class Guest:
    """Comes into all groups of a host, reads all there is at once, goes, and comes again.

    That takes the locks of several conversations, and an account's: what writers
    account for must not change by it, and nobody be held up for good.
    """

    person: Person
    client: httpx.Client
    host: Writer
    server_state: ServerState
    # After so many, their account ends.
    visits: int | None
    failure: BaseException | None = None

    def stay(self) -> None:
        try:
            for number in count():
                if self.server_state.ending.is_set():
                    return
                self._come()
                if number == self.visits:
                    self._end_account()
                    return
                self._read_everything()
                self._go()
        except BaseException as failure:  # noqa: BLE001  # for the thread that waits
            self.failure = failure

    @property
    def _groups(self) -> Sequence[int]:
        return self.host.group, self.host.annex

    def _come(self) -> None:
        for group in self._groups:
            seat, fine = _participant_path(group, self.person), {HTTPStatus.NO_CONTENT}
            self._do(self.host.client, "PUT", seat, None, fine=fine)

    def _read_everything(self) -> None:
        summary = self.server_state.retried(lambda: self.client.get("/inbox/summary"))
        body: Json = {"up_to": summary.json()["up_to"]}
        fine = {HTTPStatus.NO_CONTENT}
        self._do(self.client, "PUT", "/inbox/read", body, fine=fine)

    def _go(self) -> None:
        for group in self._groups:
            self._do(
                self.client,
                "DELETE",
                _participant_path(group, self.person),
                None,
                fine=_GONE,
            )

    def _end_account(self) -> None:
        # Once it is gone, nobody has the token.
        fine = {HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.UNAUTHORIZED}
        self._do(self.client, "DELETE", "/me", {"password": PASSWORD}, fine=fine)

    def _do(
        self,
        client: httpx.Client,
        method: str,
        path: str,
        body: Json | None,
        *,
        fine: set[HTTPStatus],
    ) -> None:
        answer = self.server_state.retried(
            lambda: client.request(method, path, json=body)
        )
        assert answer.status_code in fine, f"{method} {path}: {answer.text}"


def _participant_path(group: int, person: Person) -> str:
    return f"/conversations/{group}/participants/{person.username}"
