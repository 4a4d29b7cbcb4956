"""Events have one order, whoever writes, waits, changes their mind or is killed.

Processes write at the same time, in transactions of any length, and are killed in the
middle; some only number events. Readers resume from cursors that they had.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest
from django.conf import settings
from django.db import connections
from django.db.models import Exists, OuterRef

from messaging.ids import Position, UserId
from messaging.models import Conversation, Event, Message, Notification, User
from messaging.services import events, inbox
from tests.databases import url_of_own_database
from tests.messaging.other_connection import only_postgres
from tests.rows import insert

pytestmark = [only_postgres, pytest.mark.django_db(transaction=True)]

_CONVERSATIONS: Final = 6
_PROCESSES: Final = 6
_READERS: Final = 3
_EVENTS: Final = 200

_WRITE: Final = ("-m", "tests.live.event_writer")
_SEND: Final = ("-m", "tests.live.event_writer", "--send")
_NUMBER: Final = ("-m", "tests.live.event_writer", "--number")


@dataclass(slots=True)
class Reader:
    """Reads the log page by page, and now and then again from a cursor that it had."""

    draw: random.Random
    found: list[tuple[Position, int]] = field(default_factory=list)

    def read_until(self, done: threading.Event) -> None:
        try:
            while not done.wait(self.draw.uniform(0, 0.02)):
                self._read()
                self._resume()
            events.read_log()
            while self._read():
                pass
        finally:
            connections.close_all()

    def _read(self) -> int:
        after = self.found[-1][0] if self.found else Position(0)
        page = _after(after, self.draw.randint(1, 40))
        self.found += page
        return len(page)

    def _resume(self) -> None:
        if not self.found:
            return
        place = self.draw.randrange(len(self.found))
        known = self.found[place + 1 :][:40]
        assert _after(self.found[place][0], 40)[: len(known)] == known


def _after(position: Position, limit: int) -> list[tuple[Position, int]]:
    found = events.events_after(position, limit=limit)
    return [(event.place, event.pk) for event in found]


@contextmanager
def processes(*kinds: Sequence[str], draw: random.Random) -> Iterator[None]:
    """Run processes of these kinds; each moment one is killed, and another one started."""
    done = threading.Event()

    def start(kind: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *kind, f"{draw.random()}"],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": url_of_own_database()},
        )

    def kill_now_and_then() -> None:
        while not done.wait(draw.uniform(1, 3)):
            place = draw.randrange(len(running))
            running[place].kill()
            running[place].wait()
            running[place] = start(kinds[place])

    running = [start(kind) for kind in kinds]
    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill_now_and_then)
        try:
            yield
        finally:
            done.set()
            killing.result()
            for process in running:
                process.kill()
                process.wait()


def make_conversations() -> None:
    for number in range(_CONVERSATIONS):
        insert(Conversation(kind="group", title=f"{number}"))


@pytest.mark.parametrize("seed", [1, 2])
def test_no_event_is_missed_doubled_or_before_what_its_writer_saw(seed: int) -> None:
    draw = random.Random(seed)
    make_conversations()
    readers = [Reader(random.Random(draw.random())) for _ in range(_READERS)]
    done = threading.Event()
    with ThreadPoolExecutor(_READERS) as pool:
        reading = [pool.submit(reader.read_until, done) for reader in readers]
        try:
            with processes(_NUMBER, *[_WRITE] * (_PROCESSES - 1), draw=draw):
                while Event.objects.count() < _EVENTS:
                    time.sleep(0.1)
        finally:
            done.set()
        for each in reading:
            each.result()
    log = [*Event.objects.order_by("position")]
    positions = [event.position for event in log]
    assert positions == [*range(1, len(log) + 1)]
    for reader in readers:
        assert reader.found == [(event.position, event.pk) for event in log]
    _check_order(log)


def _check_order(log: Sequence[Event]) -> None:
    """Each is the next one of its conversation, and comes after all that its writer saw."""
    written: dict[int, int] = defaultdict(int)
    for event in log:
        written[event.conversation_id or 0] += 1
        assert event.first_sequence == written[event.conversation_id or 0]
        assert (event.last_sequence or 0) <= written[event.message_id or 0]
    for conversation in Conversation.objects.all():
        assert written[conversation.pk] == conversation.last_sequence


def test_up_to_clears_what_was_counted_and_nothing_else(
    group: Conversation, ann: User, bob: User
) -> None:
    reader, counted = UserId(bob.pk), 0
    unread = Notification.objects.unread().filter(user=bob, message=OuterRef("pk"))
    read = Message.objects.exclude(sender=bob).filter(~Exists(unread))
    with processes(*[_SEND] * 3, draw=random.Random(3)):
        while counted < _EVENTS:
            summary = inbox.inbox_summary(reader=reader)
            inbox.mark_inbox_read(reader=reader, up_to=summary.up_to)
            counted += summary.unread_count
            assert read.count() == counted
