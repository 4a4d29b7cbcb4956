"""The cached conversation page, over several real processes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from tests.api_client import Json
from tests.live.concurrent_calls import People, clients, send, start_group
from tests.live_server import PASSWORD, LiveServer, Person

_TRIES = 1000

# Whether a page shows what was written.
Shows = Callable[["Page"], bool]


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Json]
    etag: str

    def item(self, message: int) -> Json:
        return next(item for item in self.items if item["id"] == message)


@dataclass(slots=True)
class Group:
    """A group of two with a client of each process for both."""

    conversation: int
    ann: list[httpx.Client]
    bob: list[httpx.Client]
    dora: Person
    etag: str = ""
    hits: int = 0
    tries: int = 0
    stale: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/conversations/{self.conversation}"

    def read(self, process: int) -> Page:
        answer = self.bob[process].get(f"{self.path}/messages").raise_for_status()
        self.hits += answer.headers["X-Cache"] == "hit"
        return Page(answer.json()["items"], answer.headers["ETag"])

    def check(self, kind: str, shows: Shows) -> None:
        """Read through every process; each has an entry from before the write."""
        pages = [self.read(process) for process in range(len(self.bob))]
        self.tries += len(pages)
        self.stale += [kind for page in pages if not shows(page)]
        self.stale += [f"{kind}: ETag" for page in pages if page.etag == self.etag]
        self.etag = pages[0].etag

    def send(self, content: str, parent: int | None = None) -> int:
        return send(self.ann[self.tries % 3], self.conversation, content, parent)

    def write(self, method: str, path: str, body: Json | None = None) -> None:
        """As Ann, through another process each time."""
        self._write(self.ann, method, path, body)

    def mark(self, method: str, path: str, body: Json | None = None) -> None:
        """As Bob, the only one who is notified of what Ann sends."""
        self._write(self.bob, method, path, body)

    def _write(
        self, person: list[httpx.Client], method: str, path: str, body: Json | None
    ) -> None:
        client = person[self.tries % len(person)]
        client.request(method, path, json=body).raise_for_status()


def _writes(group: Group, number: int) -> Iterator[tuple[str, Shows]]:
    """Make every kind of write once, each with what shows it."""
    message = group.send(f"sent {number}")
    yield "send", lambda page: page.items[0]["id"] == message
    yield from _readings(group, message)
    reply = group.send("a reply", parent=message)
    yield "reply", lambda page: page.items[0]["parent_message_id"] == message
    group.write("PATCH", f"/messages/{message}", {"content": f"edited {number}"})
    yield "edit", lambda page: page.item(message)["content"] == f"edited {number}"
    group.write("POST", f"/messages/{message}/history/1/restore")
    yield "restore", lambda page: page.item(message)["content"] == f"sent {number}"
    group.write("PATCH", "/me", {"display_name": f"Ann the {number}."})
    yield "rename", lambda page: _sender(page.items[0]) == f"Ann the {number}."
    # The page does not name it, but its ETag covers it.
    group.write("PATCH", group.path, {"title": f"Group {number}"})
    yield "title", lambda page: page.etag != group.etag
    yield from _a_leaver(group)
    group.write("DELETE", f"/messages/{message}")
    yield "tombstone", lambda page: page.item(message)["deleted"] is True
    group.write("DELETE", f"/messages/{reply}")
    gone = {message, reply}
    yield "delete", lambda page: not any(item["id"] in gone for item in page.items)


def _readings(group: Group, message: int) -> Iterator[tuple[str, Shows]]:
    """All the ways to mark a message read, and back."""
    summary = group.bob[0].get("/inbox/summary").json()
    ways: dict[str, tuple[str, Json | None]] = {
        # First: what is marked unread later is not covered.
        "read inbox": ("/inbox/read", {"up_to": summary["up_to"]}),
        "read": (f"/messages/{message}/read", None),
        "read conversation": (f"{group.path}/read", {"up_to_sequence": 2**63 - 1}),
        "read notification": (f"/notifications/{message}/read", None),
    }
    for kind, (path, body) in ways.items():
        group.mark("PUT", path, body)
        yield kind, lambda page: page.item(message)["read"] is True
        group.mark("DELETE", f"/messages/{message}/read")
        yield f"unread after {kind}", lambda page: page.item(message)["read"] is False


def _a_leaver(group: Group) -> Iterator[tuple[str, Shows]]:
    """Someone who goes, the last who had not read a message."""
    participant_url = f"{group.path}/participants/{group.dora.username}"
    group.write("PUT", participant_url)
    message = group.send("welcome")
    group.check("welcome", lambda page: page.items[0]["id"] == message)
    group.mark("PUT", f"/messages/{message}/read")
    assert group.read(0).item(message)["read"] is False
    group.write("DELETE", participant_url)
    yield "leave", lambda page: page.item(message)["read"] is True
    group.write("DELETE", f"/messages/{message}")
    yield "delete leaf", lambda page: page.items[0]["id"] != message


def _sender(item: Json) -> object:
    assert isinstance(item["sender"], dict)
    return item["sender"]["display_name"]


def test_a_write_through_one_process_shows_through_every_other(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0]), clients(servers, people[1])
    group = Group(start_group(ann[0], people[1]), ann, bob, people[3])
    rounds = 0
    while group.tries < _TRIES:
        rounds += 1
        for kind, shows in _writes(group, rounds):
            group.check(kind, shows)
            group.read(rounds % len(bob))
    assert group.stale == []
    assert group.tries >= _TRIES
    # The read after each check found the page of its process in the cache.
    assert group.hits >= group.tries // len(bob) - rounds


def test_everyone_in_a_conversation_gets_the_same_cached_page(
    servers: LiveServer, people: People
) -> None:
    ann, bob = clients(servers, people[0]), clients(servers, people[1])
    path = f"/conversations/{start_group(ann[0], people[1])}/messages"
    assert ann[0].get(path).headers["X-Cache"] == "miss"
    for hers, his in zip(ann, bob, strict=True):
        first, second = hers.get(path), his.get(path)
        assert second.headers["X-Cache"] == "hit"
        assert first.content == second.content
        assert first.headers["ETag"] == second.headers["ETag"]
        assert second.headers["Cache-Control"] == "private, no-cache"
        known = {"If-None-Match": first.headers["ETag"]}
        assert his.get(path, headers=known).status_code == 304


def test_nobody_else_gets_a_page_that_every_process_has_cached(
    servers: LiveServer, people: People
) -> None:
    ann, bob, cleo = (clients(servers, person) for person in people[:3])
    conversation = start_group(ann[0], people[1], people[2])
    send(ann[0], conversation, "for us three")
    path = f"/conversations/{conversation}/messages"
    token = bob[0].post("/auth/tokens", json=_credentials(people[1])).json()
    revoked = clients(servers, Person(people[1].username, token["token"]))
    bob[0].delete(f"/auth/tokens/{token['id']}").raise_for_status()
    participant_url = f"/conversations/{conversation}/participants/{people[2].username}"
    ann[0].delete(participant_url).raise_for_status()
    strangers = clients(servers, people[4])
    nobody = [servers.client(process) for process in range(3)]
    for process in range(3):
        page = _warm(ann[process], path)
        assert "for us three" in page.text
        known = {"If-None-Match": page.headers["ETag"]}
        for status, code, refused in (
            (401, "not_authenticated", revoked[process]),
            (404, "conversation_not_found", cleo[process]),
            (404, "conversation_not_found", strangers[process]),
            (401, "not_authenticated", nobody[process]),
        ):
            for answer in (refused.get(path), refused.get(path, headers=known)):
                assert answer.status_code == status
                assert answer.json()["code"] == code
                assert answer.headers["Cache-Control"] == "no-store"
                assert not {"ETag", "X-Cache"} & answer.headers.keys()


def test_removal_or_sign_out_ends_access_to_the_cached_page_at_once(
    servers: LiveServer, people: People
) -> None:
    """They themselves had warmed the cache of every process."""
    ann, cleo = clients(servers, people[0]), clients(servers, people[2])
    conversation = start_group(ann[0], people[2])
    path = f"/conversations/{conversation}/messages"
    token = cleo[0].post("/auth/tokens", json=_credentials(people[2])).json()
    other_device = clients(servers, Person(people[2].username, token["token"]))
    for client in (*cleo, *other_device):
        _warm(client, path)
    other_device[1].delete("/auth/tokens/current").raise_for_status()
    assert [client.get(path).status_code for client in other_device] == [401] * 3
    assert [client.get(path).headers["X-Cache"] for client in cleo] == ["hit"] * 3
    participant_url = f"/conversations/{conversation}/participants/{people[2].username}"
    ann[1].delete(participant_url).raise_for_status()
    assert [client.get(path).status_code for client in cleo] == [404] * 3


def _credentials(person: Person) -> Json:
    return {"username": person.username, "password": PASSWORD}


def _warm(client: httpx.Client, path: str) -> httpx.Response:
    client.get(path).raise_for_status()
    page = client.get(path).raise_for_status()
    assert page.headers["X-Cache"] == "hit"
    return page
