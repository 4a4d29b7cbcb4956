"""People who write all at once, through several processes, and keep account.

Whatever happens to the server meanwhile, each of them sends a write again, with
its `Idempotency-Key`, until it is acknowledged: at the end there is nothing
that may or may not have happened, and `tests.prove.account` can ask for all of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Condition, Event, Thread
from uuid import uuid4

import httpx

from tests.api_client import Json
from tests.live.at_once import start_group
from tests.live_server import LiveServer, Person

PATIENCE = 120
_TRIES = 500

Call = Callable[[], httpx.Response]


@dataclass(frozen=True, slots=True)
class Setback:
    """A request that was not answered, or with a 503; it was made again."""

    code: str
    calm: bool
    """Whether nothing was broken or mended from its beginning to its end."""


@dataclass(slots=True)
class Circumstances:
    """What all writers share: whether the server is in order, and what came of it."""

    in_order: Event = field(default_factory=Event)
    ending: Event = field(default_factory=Event)
    progress: Condition = field(default_factory=Condition)
    disturbances: int = 0
    acknowledged: int = 0
    setbacks: list[Setback] = field(default_factory=list)

    def calm(self) -> int | None:
        """The same number at two moments: all was in order in between."""
        return self.disturbances if self.in_order.is_set() else None

    def count(self) -> None:
        with self.progress:
            self.acknowledged += 1
            self.progress.notify_all()

    def suffer(self, setback: Setback) -> None:
        with self.progress:
            self.setbacks.append(setback)
            self.progress.notify_all()

    def await_progress(self, done: Callable[[], bool]) -> None:
        with self.progress:
            assert self.progress.wait_for(done, PATIENCE), "nothing came of it"


@dataclass(slots=True)
class Writer:
    """One person, and what the server has acknowledged to them."""

    person: Person
    client: httpx.Client
    neighbour: Person
    group: int
    circumstances: Circumstances
    # By id: the content, None once deleted.
    messages: dict[int, str | None] = field(default_factory=dict)
    sent: int = 0
    read: set[int] = field(default_factory=set)
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
            while not self.circumstances.ending.is_set() and self.sent != sends:
                self._step()
        except BaseException as failure:  # noqa: BLE001  # for the thread that waits
            self.failure = failure

    def _step(self) -> None:
        number = self.sent
        self._send(number)
        if number % 4 == 1:
            self._edit()
        if number % 4 == 2:
            self._read_page()
        if number % 5 == 3:
            self._mark_read()
        if number % 7 == 5:
            self._delete()

    def _send(self, number: int) -> None:
        body: Json = {"content": f"{self.person.username} {number}"}
        path = f"/conversations/{self.group}/messages"
        if number % 3 == 2:
            path, body["receiver"] = "/messages", self.neighbour.username
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

    def _read_page(self) -> None:
        path = f"/conversations/{self.group}/messages?limit=10"
        answer = self._settled(lambda: self.client.get(path))
        assert answer.status_code == HTTPStatus.OK, answer.text

    def _mark_read(self) -> None:
        inbox = self._settled(lambda: self.client.get("/inbox?limit=1")).json()
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
        answer = self._settled(lambda: self.client.get(f"/messages/{own}"))
        return own if answer.json()["conversation_id"] == self.group else None

    def _once(
        self, method: str, path: str, body: Json | None, fine: set[HTTPStatus]
    ) -> httpx.Response:
        headers = {"Idempotency-Key": uuid4().hex} if body is not None else {}
        answer = self._settled(
            lambda: self.client.request(method, path, json=body, headers=headers)
        )
        assert answer.status_code in fine, f"{method} {path}: {answer.text}"
        self.circumstances.count()
        return answer

    def _settled(self, call: Call) -> httpx.Response:
        """The answer, however often it takes."""
        for _ in range(_TRIES):
            calm = self.circumstances.calm()
            try:
                answer = call()
            except httpx.TransportError as error:
                code = type(error).__name__
            else:
                if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                    return answer
                code = problem_code(answer)
            still = calm is not None and calm == self.circumstances.calm()
            self.circumstances.suffer(Setback(code, still))
            assert self.circumstances.in_order.wait(PATIENCE), "it stayed out of order"
        raise AssertionError(self.circumstances.setbacks[-1])


@dataclass(slots=True)
class Load:
    """Writers at work."""

    server: LiveServer
    writers: list[Writer]
    # One of the group who writes only what a test lets them write.
    bystander: Writer
    circumstances: Circumstances
    setbacks_before: int = 0

    @classmethod
    def of(cls, server: LiveServer, *, writers: int) -> "Load":
        """So many people in one group, spread over the server's processes."""
        people = [server.register(f"writer{number}") for number in range(writers + 1)]
        circumstances = Circumstances()
        circumstances.in_order.set()
        group = start_group(server.client(0, people[0]), *people[1:])
        *made, bystander = [
            Writer(
                person=person,
                client=server.client(number % len(server.urls), person),
                neighbour=people[(number + 1) % len(people)],
                group=group,
                circumstances=circumstances,
            )
            for number, person in enumerate(people)
        ]
        return cls(server, made, bystander, circumstances)

    @property
    def everyone(self) -> list[Writer]:
        return [*self.writers, self.bystander]

    @contextmanager
    def running(self, *, sends: int | None = None) -> Iterator[None]:
        """While the block runs, and until each has sent so many, if that is said."""
        threads = [
            Thread(target=writer.write, args=(sends,)) for writer in self.writers
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        except BaseException:
            self.circumstances.ending.set()
            raise
        finally:
            if sends is None:
                self.circumstances.ending.set()
            self.circumstances.in_order.set()
            for thread in threads:
                thread.join()
        for writer in self.writers:
            if writer.failure is not None:
                raise writer.failure

    @contextmanager
    def disturbed(self) -> Iterator[None]:
        """While the block breaks something and mends it: setbacks are no fault."""
        self.circumstances.in_order.clear()
        self.circumstances.disturbances += 1
        self.setbacks_before = len(self.circumstances.setbacks)
        try:
            yield
        finally:
            self.circumstances.in_order.set()

    def await_more(self, number: int) -> None:
        """Until so many more writes are acknowledged."""
        shared = self.circumstances
        enough = shared.acknowledged + number
        shared.await_progress(lambda: shared.acknowledged >= enough)

    def await_setbacks(self) -> None:
        """Until every writer has had one of the present disturbance."""
        shared = self.circumstances
        enough = self.setbacks_before + len(self.writers)
        shared.await_progress(lambda: len(shared.setbacks) >= enough)

    def faults(self) -> list[Setback]:
        return [setback for setback in self.circumstances.setbacks if setback.calm]


def problem_code(answer: httpx.Response) -> str:
    """The code of a problem response, after checking that it is a whole one."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["X-Request-ID"]
    code: str = body["code"]
    return code
