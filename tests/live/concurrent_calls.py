"""Concurrent calls, started together by a barrier."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
from django.conf import settings

from tests.live_server import LiveServer, Person

People = tuple[Person, ...]
Call = Callable[[], httpx.Response]

ROUNDS = 10

_TIMEOUT = 60


def concurrently(*calls: Call) -> list[httpx.Response]:
    """The answers, in the order of the calls; no call starts before all can."""
    barrier = Barrier(len(calls))

    def released(call: Call) -> httpx.Response:
        barrier.wait(_TIMEOUT)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(released, calls))


def statuses(answers: list[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def clients(server: LiveServer, person: Person) -> list[httpx.Client]:
    """One client of each process, its connection already made."""
    made = [server.client(process, person) for process in range(len(server.urls))]
    for client in made:
        client.get("/me").raise_for_status()
    return made


def start_group(owner: httpx.Client, *members: Person) -> int:
    answer = owner.post(
        "/conversations",
        json={
            "kind": "group",
            "title": "Race",
            "participants": [member.username for member in members],
        },
    )
    answer.raise_for_status()
    conversation_id: int = answer.json()["id"]
    return conversation_id


def send(
    sender: httpx.Client, conversation_id: int, content: str, parent: int | None = None
) -> int:
    answer = sender.post(
        f"/conversations/{conversation_id}/messages",
        json={"content": content, "parent_message_id": parent},
    )
    answer.raise_for_status()
    message_id: int = answer.json()["id"]
    return message_id


def manage(server: LiveServer, *command: str, answer: str = "") -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command],
        env=server.environment,
        cwd=settings.BASE_DIR,
        input=answer.encode(),
        check=True,
    )
