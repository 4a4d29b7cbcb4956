"""People who do everything at once, in a few conversations that all share."""

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Final

import httpx

from tests.live.concurrent_calls import concurrently, start_group
from tests.live_server import PASSWORD, LiveServer, Person

# Somebody else came first: what it was about is gone, or not theirs to change any more.
_FINE: Final = frozenset({200, 201, 204, 403, 404, 409})
_REMEMBERED: Final = 60


@dataclass(slots=True)
class Shared:
    """What the people know in common."""

    server: LiveServer
    groups: list[int]
    # Who stays: they own the groups at first, and nobody puts them out.
    keepers: list[Person]
    names: list[str]
    # The latest messages, as anybody may reply to, read or try to change them.
    messages: list[int] = field(default_factory=list)
    # By conversation: how many messages were acknowledged.
    sent: Counter[int] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def note(self, what: str, answer: httpx.Response, fine: Collection[int]) -> None:
        with self.lock:
            self.answers[what, answer.status_code] += 1
            if answer.status_code not in fine:
                self.refused.append(f"{what}: {answer.status_code} {answer.text}")

    def note_sent(self, answer: httpx.Response) -> None:
        if answer.status_code != httpx.codes.CREATED:
            return
        message = answer.json()
        with self.lock:
            self.sent[message["conversation_id"]] += 1
            self.messages = [*self.messages[1 - _REMEMBERED :], message["id"]]


@dataclass(slots=True)
class Member:
    """One of them, who takes a step after another, at random."""

    person: Person
    number: int
    shared: Shared
    chance: random.Random
    failure: BaseException | None = None
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._sign_in()

    @property
    def stays(self) -> bool:
        return self.person in self.shared.keepers

    def live(self, until: float) -> None:
        try:
            while time.monotonic() < until:
                self.chance.choice(self._steps())()
        except BaseException as failure:  # noqa: BLE001  # for the thread that waits
            self.failure = failure

    def _steps(self) -> list[Callable[[], None]]:
        often = [self._send, self._reply, self._send_direct, self._add, self._read]
        seldom = [
            self._edit,
            self._delete,
            self._unread,
            self._read_up_to,
            self._read_inbox,
            self._mute,
            self._hide,
            self._block,
            self._rename_group,
            self._rename,
            self._add_owner,
            self._remove_owner,
            self._set_shows_presence,
            self._end_token,
        ]
        leaving = [self._remove, self._hand_over, self._leave, self._end_account]
        if self.stays:
            return [*often, *often, *seldom, self._add, self._add, self._remove]
        return [*often, *often, *often, *seldom, *seldom, *leaving]

    def _send(self) -> None:
        path = f"/conversations/{self._group()}/messages"
        self.shared.note_sent(self._do("POST", path, {"content": "to all"}))

    def _reply(self) -> None:
        for message in self._message():
            known = self._do("GET", f"/messages/{message}")
            if known.status_code == httpx.codes.OK:
                path = f"/conversations/{known.json()['conversation_id']}/messages"
                body = {"content": "reply", "parent_message_id": message}
                # It may be deleted since: then it is no parent any more.
                answer = self._do("POST", path, body, fine={*_FINE, 422})
                self.shared.note_sent(answer)

    def _send_direct(self) -> None:
        body = {"receiver": self._other(), "content": f"@{self._other()} hi"}
        self.shared.note_sent(self._do("POST", "/messages", body))

    def _edit(self) -> None:
        for message in self._message():
            body = {"content": f"edited {self.chance.random()}"}
            self._do("PATCH", f"/messages/{message}", body)

    def _delete(self) -> None:
        for message in self._message():
            self._do("DELETE", f"/messages/{message}")

    def _read(self) -> None:
        for message in self._message():
            # Their own cannot be.
            self._do("PUT", f"/messages/{message}/read", fine={*_FINE, 422})

    def _unread(self) -> None:
        for message in self._message():
            self._do("DELETE", f"/messages/{message}/read", fine={*_FINE, 422})

    def _read_up_to(self) -> None:
        path = f"/conversations/{self._group()}/read"
        self._do("PUT", path, {"up_to_sequence": self.chance.randrange(1, 500)})

    def _read_inbox(self) -> None:
        summary = self._do("GET", "/inbox/summary")
        self._do("PUT", "/inbox/read", {"up_to": summary.json()["up_to"]})

    def _mute(self) -> None:
        method = self.chance.choice(["PUT", "DELETE"])
        self._do(method, f"/conversations/{self._group()}/mute")

    def _hide(self) -> None:
        method = self.chance.choice(["PUT", "DELETE"])
        self._do(method, f"/conversations/{self._group()}/hidden")

    def _block(self) -> None:
        name = self._other()
        self._do("PUT", f"/blocks/{name}")
        self._do("DELETE", f"/blocks/{name}")

    def _add(self) -> None:
        path = f"/conversations/{self._group()}/participants/{self._other()}"
        self._do("PUT", path)

    def _remove(self) -> None:
        kept = {keeper.username for keeper in self.shared.keepers}
        if (name := self._other()) not in kept:
            path = f"/conversations/{self._group()}/participants/{name}"
            self._do("DELETE", path)

    def _hand_over(self) -> None:
        path = f"/conversations/{self._group()}/participants/{self._other()}"
        self._do("PUT", path, {"role": "owner"})

    def _add_owner(self) -> None:
        path = f"/conversations/{self._group()}/owners/{self._other()}"
        self._do("PUT", path)

    def _remove_owner(self) -> None:
        path = f"/conversations/{self._group()}/owners/{self._other()}"
        self._do("DELETE", path)

    def _set_shows_presence(self) -> None:
        self._do("PATCH", "/me", {"shows_presence": self.chance.random() < 0.5})

    def _leave(self) -> None:
        name = self.person.username
        self._do("DELETE", f"/conversations/{self._group()}/participants/{name}")

    def _rename_group(self) -> None:
        body = {"title": f"Title {self.chance.randrange(5)}"}
        self._do("PATCH", f"/conversations/{self._group()}", body)

    def _rename(self) -> None:
        self._do("PATCH", "/me", {"display_name": f"Name {self.chance.randrange(5)}"})

    def _end_token(self) -> None:
        made = self._new_token()
        self._do("DELETE", f"/auth/tokens/{made['id']}")

    def _end_account(self) -> None:
        """At the same time as tokens, messages and the name of it."""
        tokens = [self._new_token() for _ in range(2)]
        clients = [self._client_with(str(token["token"])) for token in tokens]
        url, group = "/auth/tokens/current", self._group()
        gone = {*_FINE, 401}
        answers = concurrently(
            lambda: self.client.request("DELETE", "/me", json={"password": PASSWORD}),
            lambda: clients[0].delete(url),
            lambda: clients[1].post(
                f"/conversations/{group}/messages", json={"content": "last"}
            ),
        )
        for client in clients:
            client.close()
        self.shared.note("DELETE /me", answers[0], {200})
        self.shared.note("DELETE own token", answers[1], gone)
        self.shared.note("POST at the end", answers[2], gone)
        self.shared.note_sent(answers[2])
        self._come_again()

    def _come_again(self) -> None:
        with self.shared.lock:
            place = self.shared.names.index(self.person.username)
        self.client.close()
        self.person = self.shared.server.register(f"crowd{self.number}")
        with self.shared.lock:
            self.shared.names[place] = self.person.username
        self._sign_in()

    def _sign_in(self) -> None:
        self.client = self._client_with(self.person.token)

    def _client_with(self, token: str) -> httpx.Client:
        urls = self.shared.server.urls
        return httpx.Client(
            base_url=f"{urls[self.number % len(urls)]}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=120,
        )

    def _new_token(self) -> dict[str, object]:
        body = {"username": self.person.username, "password": PASSWORD}
        made: dict[str, object] = self._do("POST", "/auth/tokens", body).json()
        return made

    def _group(self) -> int:
        return self.chance.choice(self.shared.groups)

    def _other(self) -> str:
        with self.shared.lock:
            names = [name for name in self.shared.names if name != self.person.username]
        return self.chance.choice(names)

    def _message(self) -> Iterator[int]:
        """One, if there is any."""
        with self.shared.lock:
            known = list(self.shared.messages)
        if known:
            yield self.chance.choice(known)

    def _do(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        fine: Collection[int] = _FINE,
    ) -> httpx.Response:
        answer = self.client.request(method, path, json=body)
        what = "/".join("#" if part.isdigit() else part for part in path.split("/"))
        for named in ("/participants/", "/owners/"):
            what = what.partition(named)[0]
        self.shared.note(f"{method} {what}", answer, fine)
        return answer


def crowd(server: LiveServer, *, members: int, groups: int = 3) -> list[Member]:
    """So many people in so many groups, of whom two stay to the end."""
    people = [server.register(f"crowd{number}") for number in range(members)]
    keepers = people[:2]
    owner = server.client(0, people[0])
    shared = Shared(
        server,
        [start_group(owner, *people[1:]) for _ in range(groups)],
        keepers,
        [person.username for person in people],
    )
    return [
        Member(person, number, shared, random.Random(number))
        for number, person in enumerate(people)
    ]


def live_together(members: Collection[Member], *, seconds: float) -> None:
    until = time.monotonic() + seconds
    threads = [Thread(target=member.live, args=(until,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for member in members:
        member.client.close()
        if member.failure is not None:
            raise member.failure
