"""Exactly once: over several processes, and through a restart."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.live_server import LiveServer

KEYS = 200
SENDS_PER_KEY = 20
THREADS = 8


@pytest.mark.django_db
def test_every_key_makes_one_message_and_one_answer(
    live_server_processes: Callable[[int], LiveServer],
) -> None:
    server = live_server_processes(2)
    ann, bob = server.register("ann"), server.register("bob")
    first = server.client(0, ann).post(
        "/messages", json={"receiver": bob.username, "content": "opening"}
    )
    path = f"/conversations/{first.json()['conversation_id']}/messages"

    def send(number: int) -> httpx.Response:
        key = number // SENDS_PER_KEY
        return clients[number % len(clients)].post(
            path,
            json={"content": f"message {key}"},
            headers={"Idempotency-Key": f"key-{key}"},
        )

    clients = [server.client(process, ann) for process in range(2)]
    numbers = list(range(KEYS * SENDS_PER_KEY))
    half = len(numbers) // 2 + SENDS_PER_KEY // 2
    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(send, numbers[:half]))
        # In the middle of a key's sends.
        server.stop()
        server.processes.clear()
        server.urls.clear()
        clients[:] = []
        for process in range(2):
            server.add_process()
            clients.append(server.client(process, ann))
        answers += list(threads.map(send, numbers[half:]))
    assert Counter(answer.status_code for answer in answers) == {201: len(numbers)}
    made = {
        (number // SENDS_PER_KEY, answer.content)
        for number, answer in zip(numbers, answers, strict=True)
    }
    assert len(made) == KEYS
    replayed = [
        answer for answer in answers if "Idempotency-Replayed" in answer.headers
    ]
    assert len(replayed) == len(numbers) - KEYS
    newest = clients[0].get(path, params={"limit": 1}).json()["items"][0]
    assert newest["sequence"] == KEYS + 1
