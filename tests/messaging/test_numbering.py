"""The thread that numbers events goes on whatever happens, until its command ends."""

import os
import subprocess
import sys
import threading

import pytest
from django.conf import settings

from messaging.changes.numbering import Numberer
from messaging.models import Event, Message, User
from messaging.services.conversations import start_group
from messaging.services.events import read_log
from tests.databases import url_of_own_database
from tests.messaging.other_connection import TIMEOUT, in_thread, only_postgres

pytestmark = [only_postgres, pytest.mark.django_db(transaction=True)]

_SEND_AND_END = """
import django
django.setup()
from messaging.models import Conversation, Message
group = Conversation.objects.get()
sender = group.participants.order_by("pk")[0].user
for number in range(3):
    Message.objects.create(conversation=group, sender=sender, content=f"Hello {number}.")
"""


def test_what_cannot_be_told_is_told_later(caplog: pytest.LogCaptureFixture) -> None:
    told, failures = threading.Event(), [ValueError("Nobody expects this.")]

    def announce() -> None:
        if failures:
            raise failures.pop()
        told.set()

    numberer = Numberer(announce)
    numberer.start()
    numberer.wake()
    assert told.wait(TIMEOUT)
    numberer.stop()
    assert [record.exc_info is not None for record in caplog.records] == [True]


@pytest.mark.parametrize("wakes", [1, 2])
def test_what_is_committed_while_it_is_at_work_has_its_turn(wakes: int) -> None:
    begun, go_on, turns = threading.Event(), threading.Event(), []

    def announce() -> None:
        begun.set()
        go_on.wait(TIMEOUT)
        turns.append(1)

    numberer = Numberer(announce)
    numberer.start()
    numberer.wake()
    assert begun.wait(TIMEOUT)
    for _ in range(wakes):
        numberer.wake()
    stopping = in_thread(numberer.stop)
    go_on.set()
    stopping.join()
    assert len(turns) == 2


def test_what_is_committed_soon_after_a_turn_is_gathered() -> None:
    begun, turns = threading.Event(), []

    def announce() -> None:
        turns.append(1)
        begun.set()

    numberer = Numberer(announce, gather_seconds=24 * 60 * 60)
    numberer.start()
    numberer.wake()
    # At once: nothing was numbered before.
    assert begun.wait(TIMEOUT)
    for _ in range(3):
        numberer.wake()
    # It does not wait until the time is over.
    numberer.stop()
    assert not numberer.is_alive()
    assert len(turns) == 2


def test_a_command_ends_when_its_events_are_numbered(ann: User) -> None:
    start_group(owner=ann, title="Group", usernames=[])
    read_log()
    subprocess.run(
        [sys.executable, "-c", _SEND_AND_END],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url_of_own_database()},
        check=True,
    )
    assert Message.objects.count() == 3
    assert not Event.objects.filter(position=None).exists()
