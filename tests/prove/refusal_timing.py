"""Whether the timing of a refusal reveals what its text does not: see `--help`."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import django
import httpx
from django.conf import settings

from tests.api_client import Json
from tests.interruption import take_sigterm_as_interrupt
from tests.live_server import PASSWORD, LiveServer, Person, served_database

Call = Callable[[], httpx.Response]

PROCESSES: Final = 4
GUESSES: Final = 200
QUOTA: Final = 10
TOLERANCE: Final = 0.1
# Never reached, but counted.
_AMPLE: Final = "1000000/1000d"

_QUICK_SECONDS: Final = 0.2
_MORE_ROUNDS: Final = 20

_ODD_ACCOUNTS: Final = """
from messaging.models import User
User.objects.create_user("suspended", {password!r})
User.objects.filter(username="suspended").update(is_active=False)
User.objects.create_user("imported", None)
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests whose answers must not differ, nor take different time."""

    what: str
    one: Call
    other: Call
    # Whether the two answers must be equal.
    alike: bool = True


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="scripts/compare-refusals", description=__doc__.partition(":")[0] + "."
    )
    arguments.add_argument(
        "--rounds",
        type=int,
        default=60,
        help="of each request, more of quick ones (default 60)",
    )
    rounds: int = arguments.parse_args().rounds
    take_sigterm_as_interrupt()
    django.setup()
    with TemporaryDirectory() as folder, served_database(Path(folder)) as environment:
        held = _guess(environment)
        fine = _compare(environment, rounds)
    return 0 if held and fine else 1


def _guess(environment: Mapping[str, str]) -> bool:
    """At one account, through all processes at once: just the quota is tried."""
    limits = {
        "PARLEY_RATE_LIMITS": "on",
        "PARLEY_LIMIT_SIGN_IN": f"{QUOTA}/1000d",
    }
    server = LiveServer.start({**environment, **limits}, processes=PROCESSES)
    try:
        username = server.register("victim").username
        clients = [server.client(process) for process in range(PROCESSES)]

        def guess(number: int) -> int:
            client = clients[number % PROCESSES]
            return _sign_in(client, username, f"guess {number}")().status_code

        with ThreadPoolExecutor(50) as threads:
            statuses = list(threads.map(guess, range(GUESSES)))
    finally:
        server.stop()
    tried = statuses.count(HTTPStatus.UNAUTHORIZED)
    refused = statuses.count(HTTPStatus.TOO_MANY_REQUESTS)
    _print(f"{GUESSES} guesses at once: {tried} tried, {refused} refused")
    return (tried, refused) == (QUOTA, GUESSES - QUOTA)


def _compare(environment: Mapping[str, str], rounds: int) -> bool:
    limits = {
        "PARLEY_RATE_LIMITS": "on",
        **{
            f"PARLEY_LIMIT_{name}": _AMPLE
            for name in (
                "SIGN_IN",
                "SIGN_IN_ADDRESS",
                "REGISTRATIONS",
                "BAD_TOKENS",
                "WRITES",
                "READS",
            )
        },
    }
    server = LiveServer.start({**environment, **limits}, processes=1)
    by_invite = {"PARLEY_REGISTRATION": "invite"}
    invited = LiveServer.start({**environment, **limits, **by_invite}, processes=1)
    try:
        differences = [
            _difference(pair, rounds) for pair in _pairs(server, invited, environment)
        ]
    finally:
        server.stop()
        invited.stop()
    return all(abs(difference) <= TOLERANCE for difference in differences)


def _pairs(
    server: LiveServer, invited: LiveServer, environment: Mapping[str, str]
) -> list[Pair]:
    script = _ODD_ACCOUNTS.format(password=PASSWORD)
    subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", script],
        env=environment,
        cwd=settings.BASE_DIR,
        check=True,
    )
    ann, bob, cleo = (server.register(name) for name in ("ann", "bob", "cleo"))
    anyone, outsider = server.client(), server.client(0, cleo)
    sent = server.client(0, ann).post(
        "/messages", json={"receiver": bob.username, "content": "secret"}
    )
    message = sent.raise_for_status().json()
    group = f"/conversations/{message['conversation_id']}"
    server.client(0, bob).put(f"/blocks/{cleo.username}").raise_for_status()
    wrong = _sign_in(anyone, ann.username, "wrong")
    return [
        Pair("sign-in: account, no account", wrong, _sign_in(anyone, "nobody", "x")),
        Pair(
            "sign-in: active, suspended", wrong, _sign_in(anyone, "suspended", PASSWORD)
        ),
        Pair("sign-in: password, none", wrong, _sign_in(anyone, "imported", "x")),
        Pair(
            "registration by invite: name taken, free",
            _register(invited.client(), ann.username),
            _register(invited.client(), "someone-new"),
        ),
        Pair(
            "search: who blocked you, who did not",
            _search(outsider, bob),
            _search(outsider, ann),
            alike=False,
        ),
        Pair(
            "message: not yours, missing",
            _get(outsider, f"/messages/{message['id']}"),
            _get(outsider, "/messages/999999"),
        ),
        Pair(
            "conversation: not yours, missing",
            _get(outsider, group),
            _get(outsider, "/conversations/999999"),
        ),
        Pair(
            "page: not yours, missing",
            _get(outsider, f"{group}/messages"),
            _get(outsider, "/conversations/999999/messages"),
        ),
    ]


def _difference(pair: Pair, rounds: int) -> float:
    """Of the medians, as a part of the first; the two take turns in going first."""
    started = time.perf_counter()
    one, other = pair.one(), pair.other()
    assert one.status_code == other.status_code, pair.what
    assert not pair.alike or _comparable(one) == _comparable(other), pair.what
    # As many as take a few seconds: the quicker one is, the more noise in it.
    quick = time.perf_counter() - started < _QUICK_SECONDS
    timed: list[tuple[Call, list[float]]] = [(pair.one, []), (pair.other, [])]
    for _ in range(rounds * (_MORE_ROUNDS if quick else 1)):
        for call, taken in timed:
            started = time.perf_counter()
            call()
            taken.append(time.perf_counter() - started)
        timed.reverse()
    times = {call: median(taken) * 1000 for call, taken in timed}
    first, second = times[pair.one], times[pair.other]
    difference = second / first - 1
    _print(f"{pair.what:45} {first:8.2f} ms {second:8.2f} ms {difference:+7.1%}")
    return difference


def _comparable(answer: httpx.Response) -> Json:
    """All of a problem but what names the request."""
    body: Json = answer.json()
    return {key: body[key] for key in body.keys() - {"request_id", "instance"}}


def _sign_in(client: httpx.Client, username: str, password: str) -> Call:
    body = {"username": username, "password": password}
    return lambda: client.post("/auth/tokens", json=body)


def _register(client: httpx.Client, username: str) -> Call:
    body = {"username": username, "password": PASSWORD}
    return lambda: client.post("/auth/register", json=body)


def _search(client: httpx.Client, person: Person) -> Call:
    return _get(client, f"/users?query={person.username}")


def _get(client: httpx.Client, path: str) -> Call:
    return lambda: client.get(path)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
