"""The processor time that each request costs the server, the most expensive first.

    python -m bench.costs --checkout ../before --checkout .

fills a database, then makes every request of the API and of the pages in each checkout,
with the most expensive arguments that an ordinary account can choose. It prints the ten
slowest as a Markdown table, with a column for each checkout. The requests are the same
for all checkouts: this checkout's file measures each of them.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_ROOT: Final = Path(__file__).resolve().parent.parent
_SHOWN: Final = 10
_RUNS: Final = 3
_MESSAGES: Final = 20_000
_API: Final = "/api/v1"
_PASSWORD: Final = "correct horse battery staple"  # noqa: S105  # of nobody

# Contents that are expensive to parse or render, each as long as a message may be.
_HOSTILE: Final = {
    "brackets": "https://" + "}" * 4_990,
    "links": "https://a.example/ " * 260,
    "short links": "https://a.b " * 416,
    "links in other scripts": "https://\u0e01" * 555,
    "mentions": "@person3 " * 550,
    "signs of mentions": "@a-" * 1_666,
    "signs": "*_`[(<" * 830,
    "words": "a " * 2_490,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. `once` marks one that would find nothing left to do when it is repeated."""

    name: str
    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    once: bool = False


@dataclass(frozen=True, slots=True)
class _World:
    """The data that requests name; `ids` maps names of path parameters to values."""

    token: Mapping[str, str]
    cookie: Mapping[str, str]
    ids: Mapping[str, object]
    hostile: Mapping[str, int]
    edited: int
    tree: int
    chain: int
    # A cursor that covers the whole inbox, for the request that marks it read.
    up_to: str


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench.costs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--checkout", action="append", default=[], help="a folder with a checkout"
    )
    parser.add_argument("--messages", type=int, default=_MESSAGES)
    parser.add_argument("--all", action="store_true", help="all, not the ten dearest")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        _measure(given.messages)
        return
    folders = [Path(folder).resolve() for folder in given.checkout] or [_ROOT]
    measured = [_measured(folder, given.messages) for folder in folders]
    names = [folder.name for folder in folders]
    for line in _table(names, measured, None if given.all else _SHOWN):
        print(line)


def _measured(checkout: Path, messages: int) -> dict[str, float]:
    """Milliseconds by request name.

    It runs in a process of its own, which imports the code of that checkout.
    """
    with TemporaryDirectory(prefix="parley-costs-") as folder:
        done = subprocess.run(
            [sys.executable, __file__, "--measure", "--messages", str(messages)],
            cwd=checkout,
            env={
                **os.environ,
                "PYTHONPATH": str(checkout),
                "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL")
                or f"sqlite:///{folder}/costs.sqlite3",
                "PARLEY_DATA_DIR": folder,
                "PARLEY_RATE_LIMITS": "off",
                "PARLEY_LOG_LEVEL": "ERROR",
                "PROMETHEUS_MULTIPROC_DIR": "",
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    costs: dict[str, float] = json.loads(done.stdout)
    return costs


def _table(
    names: list[str], measured: list[dict[str, float]], shown: int | None
) -> Iterator[str]:
    """The rows of the table: requests by their highest cost in any column."""
    yield f"| request | {' | '.join(f'{name} ms' for name in names)} |"
    yield f"|---|{'--:|' * len(names)}"
    dearest = {
        name: max(costs.get(name, 0.0) for costs in measured)
        for costs in measured
        for name in costs
    }
    for name in sorted(dearest, key=lambda name: -dearest[name])[:shown]:
        cells = [f"{costs[name]:,.1f}" if name in costs else "–" for costs in measured]
        yield f"| {name} | {' | '.join(cells)} |"


# The functions below run in the process that measures.


def _measure(messages: int) -> None:
    sys.path.insert(0, str(Path.cwd()))
    from django.core.management import call_command

    from config.wsgi import application

    call_command("migrate", verbosity=0)
    world = _filled(application, messages)
    costs: dict[str, float] = {}
    for ask in _asks(world):
        taken = _cost(application, ask)
        if taken is not None:
            costs[ask.name] = round(taken * 1000, 2)
    print(json.dumps(costs))


def _cost(application: "WSGIApplication", ask: Ask) -> float | None:
    """The least processor time of a few runs, in seconds; the first run also fills caches."""
    from django.core.cache import cache

    best, status = float("inf"), ""
    for _ in range(1 if ask.once else _RUNS):
        # Measure cache misses: a client can always choose arguments that are not cached
        # yet.
        cache.clear()
        started = process_time()
        status, _ = _send(application, ask)
        best = min(best, process_time() - started)
        if status >= "5":
            print(f"bench.costs: {ask.name}: {status}", file=sys.stderr)
            return None
        # Expensive enough to be in the table: one run tells.
        if best > 1:
            break
    if status >= "4":
        print(f"bench.costs: note: {ask.name}: {status}", file=sys.stderr)
    return best


def _send(application: "WSGIApplication", ask: Ask) -> tuple[str, bytes]:
    answered: dict[str, str] = {}

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        answered["status"] = status

    response = application(_environ(ask), start)  # type: ignore[arg-type]  # nothing writes
    content = b"".join(response)
    with suppress(AttributeError):
        response.close()  # type: ignore[attr-defined]  # Django's has it
    return answered["status"], content


def _environ(ask: Ask) -> "WSGIEnvironment":
    path, _, query = ask.path.partition("?")
    if isinstance(ask.body, bytes):
        body, kind = ask.body, "application/x-www-form-urlencoded"
    else:
        body = b"" if ask.body is None else json.dumps(ask.body).encode()
        kind = "application/json"
    return {
        "REQUEST_METHOD": ask.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_ACCEPT_ENCODING": "gzip",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        **ask.headers,
    }


def _filled(application: "WSGIApplication", messages: int) -> _World:
    from bench import dataset

    filled = dataset.fill(messages)
    token = {"HTTP_AUTHORIZATION": f"Bearer {filled.reader}"}
    made = _Writer(application, token)
    hostile = {name: made.group(f"hostile {name}") for name in _HOSTILE}
    for name, conversation in hostile.items():
        for _ in range(200):
            made.say(conversation, _HOSTILE[name])
    chain = parent = made.say(hostile["words"], "chain")
    for number in range(500):
        parent = made.say(hostile["words"], f"chain {number}", parent)
    edited = made.say(hostile["signs"], "first")
    for number in range(200):
        made.edit(edited, f"{number} " + _HOSTILE["words"][:4_900])
    return _World(
        token=token,
        cookie={"HTTP_COOKIE": _signed_in(dataset.READER)},
        ids={**_ids_of(dataset.READER), "conversation_id": dataset.LARGE_TREE},
        hostile=hostile,
        edited=edited,
        tree=filled.large_root,
        chain=chain,
        up_to=made.up_to(),
    )


def _signed_in(person: int) -> str:
    """Give a user a password and sign them in; return the browser's Cookie header."""
    from django.test import Client

    from messaging.models import User

    user = User.objects.get(pk=person)
    user.set_password(_PASSWORD)
    user.save()
    browser = Client()
    browser.force_login(user)
    return "; ".join(f"{name}={each.value}" for name, each in browser.cookies.items())


def _ids_of(person: int) -> dict[str, object]:
    """Values for path parameters that name something of this user, by parameter name."""
    from messaging.models import Message, Notification, User
    from messaging.services.tokens import issue_token

    user = User.objects.get(pk=person)
    unread = Notification.objects.filter(user=user, is_read=False)
    return {
        "message_id": Message.objects.filter(sender=user).latest("pk").pk,
        "notification_id": unread.latest("pk").pk,
        "token_id": issue_token(user=user, name="spare", expires_in=None).token.pk,
        "version": 1,
        "user_id": person,
        "username": "person3",
        "reference": "a",
    }


class _Writer:
    """Writes through the API, like any client."""

    def __init__(
        self, application: "WSGIApplication", token: Mapping[str, str]
    ) -> None:
        self._application = application
        self._token = token

    def group(self, title: str) -> int:
        body = {"kind": "group", "title": title, "participants": ["person3"]}
        return self._made("POST", "/conversations", body)

    def say(self, conversation: int, content: str, parent: int | None = None) -> int:
        body = {"content": content, "parent_message_id": parent}
        return self._made("POST", f"/conversations/{conversation}/messages", body)

    def edit(self, message: int, content: str) -> None:
        self._made("PATCH", f"/messages/{message}", {"content": content})

    def up_to(self) -> str:
        path = f"{_API}/inbox/summary"
        _, content = _send(self._application, Ask(path, "GET", path, None, self._token))
        cursor: str = json.loads(content)["up_to"]
        return cursor

    def _made(self, method: str, path: str, body: object) -> int:
        ask = Ask(path, method, f"{_API}{path}", body, self._token)
        status, content = _send(self._application, ask)
        if status >= "3":
            sys.exit(f"bench.costs: {path}: {status} {content.decode()}")
        made: int = json.loads(content)["id"]
        return made


def _asks(world: _World) -> Iterator[Ask]:
    yield from _anonymous()
    yield from _pages(world)
    yield from _dear(world)
    yield from _operations(world)


def _anonymous() -> Iterator[Ask]:
    bundle = "/static/ninja/swagger-ui-bundle.js"
    for name, path in (
        *(("OpenAPI document", f"{_API}/openapi.json"), ("API docs", f"{_API}/docs")),
        *(("largest file", bundle), ("missing file", "/static/nothing")),
        *(("probe", "/healthz"), ("readiness", "/readyz"), ("metrics", "/metrics")),
        *(("admin sign-in", "/admin/login/"), ("missing page", "/nothing")),
        ("sign-in, long `next`", "/sign-in?next=" + quote("/" + "é" * 5_000)),
    ):
        yield Ask(f"{name}, anonymous", "GET", path)
    cookie = 'messages="' + "\\" * 30_000 + '"'
    yield Ask(
        "quoted cookies, anonymous", "GET", "/inbox", None, {"HTTP_COOKIE": cookie}
    )
    many = "; ".join(f"a{number}=" for number in range(5_000))
    yield Ask("many cookies, anonymous", "GET", "/inbox", None, {"HTTP_COOKIE": many})
    bad = {"HTTP_AUTHORIZATION": "Bearer nothing"}
    yield Ask("bad token, anonymous", "GET", f"{_API}/me", None, bad)
    guess = {"username": "person1", "password": "x" * 128}
    yield Ask("password guess, anonymous", "POST", f"{_API}/auth/tokens", guess)
    many_fields = "&".join(f"a{number}=" for number in range(900)).encode()
    yield Ask("form of 900 fields, anonymous", "POST", "/sign-in", many_fields)


def _pages(world: _World) -> Iterator[Ask]:
    from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse

    from chats.urls import urlpatterns

    def walk(patterns: Iterable[object]) -> Iterator[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            elif isinstance(pattern, URLPattern):
                yield pattern

    for pattern in walk(urlpatterns):
        if not pattern.name or pattern.name == "sign_out":
            continue
        kwargs = {name: world.ids.get(name, 1) for name in pattern.pattern.converters}
        try:
            path = reverse(pattern.name, kwargs=kwargs)
        except NoReverseMatch:
            continue
        yield Ask(f"page {pattern.name}", "GET", path, None, world.cookie)
        yield Ask(f"page {pattern.name}, anonymous", "GET", path)


def _dear(world: _World) -> Iterator[Ask]:
    for name, conversation in world.hostile.items():
        page = f"/conversations/{conversation}"
        yield Ask(f"page of 50 messages of {name}", "GET", page, None, world.cookie)
        path = f"{_API}{page}/messages?limit=200"
        yield Ask(f"200 messages of {name}", "GET", path, None, world.token)
    history = f"/messages/{world.edited}/history"
    yield Ask(
        "history of 200 edits", "GET", f"{_API}{history}?limit=200", None, world.token
    )
    yield Ask("page of 200 edits", "GET", history, None, world.cookie)
    for name, root in (("10,000", world.tree), ("a chain of 500", world.chain)):
        for path in ("thread?depth=50&nodes=2000", "replies?limit=200"):
            yield Ask(
                f"{path.partition('?')[0]} of {name}",
                "GET",
                f"{_API}/messages/{root}/{path}",
                None,
                world.token,
            )
        yield Ask(
            f"page of the thread of {name}",
            "GET",
            f"/messages/{root}/thread",
            None,
            world.cookie,
        )


def _operations(world: _World) -> Iterator[Ask]:
    """A request for each operation of the OpenAPI document, the deletion of the account last."""
    from api.application import api

    document = api.get_openapi_schema()
    asks = [
        _operation(document, world, path, method, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if described["operationId"] != "auth_revoke_current_token"
    ]
    # These come last: they take away what the other requests need.
    last = ("messages_delete", "me_change_password", "me_delete")
    order = {name: place for place, name in enumerate(last, 1)}
    yield from sorted(asks, key=lambda ask: order.get(ask.name, 0))


def _operation(
    document: Mapping[str, object],
    world: _World,
    path: str,
    method: str,
    described: Mapping[str, object],
) -> Ask:
    name = str(described["operationId"])
    query = []
    parameters: list[dict[str, dict[str, object]]] = described["parameters"]  # type: ignore[assignment]  # as OpenAPI has it
    for parameter in parameters:
        key = str(parameter["name"])
        if str(parameter["in"]) == "path":
            path = path.replace(f"{{{key}}}", str(world.ids.get(key, 1)))
        elif key in {"limit", "depth", "nodes"}:
            query.append(f"{key}={parameter['schema']['maximum']}")
        elif key == "timeout":
            query.append("timeout=0")
        elif key == "query":
            query.append("query=p")
    headers = (
        {} if name.startswith(("service_", "auth_create", "auth_reg")) else world.token
    )
    return Ask(
        name,
        method.upper(),
        f"{path}?{'&'.join(query)}" if query else path,
        _bodies(world).get(name),
        headers,
        once=method != "get",
    )


def _bodies(world: _World) -> Mapping[str, object]:
    largest = _HOSTILE["brackets"]
    passwords = {"current_password": _PASSWORD, "new_password": f"{_PASSWORD}!"}
    new = {"username": "new", "password": _PASSWORD, "display_name": "N" * 100}
    crowd = [f"person{number}" for number in range(3, 900)]
    return {
        "auth_register": new,
        "auth_create_token": {"username": "person1", "password": _PASSWORD},
        "me_update": {"display_name": "M" * 100},
        "me_change_password": passwords,
        "me_delete": {"password": f"{_PASSWORD}!"},
        "conversations_start": {
            "kind": "group",
            "title": "T" * 100,
            "participants": crowd,
        },
        "conversations_update": {"title": "U" * 100},
        "messages_send": {"content": largest},
        "messages_send_direct": {"receiver": "person3", "content": largest},
        "messages_update": {"content": largest},
        "messages_edit": {"content": largest},
        "conversations_mark_read": {"up_to_sequence": 2**31},
        "inbox_mark_read": {"up_to": world.up_to},
    }


if __name__ == "__main__":
    main()
