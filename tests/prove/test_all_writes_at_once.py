"""All kinds of write at once, in conversations that all share.

Nobody is answered with an error of the server, no transaction is the victim of a
deadlock, and each that committed kept the protocol of messaging/changes.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.live_server import LiveServer
from tests.prove.audit import Transaction, audited, install_audit
from tests.prove.crowd import Shared, crowd, live_together

_PATIENCE = 120
_MEMBERS = 12
_OPERATORS = 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(5, id="short"),
        pytest.param(
            float(os.environ.get("PROVE_SECONDS", "240")),
            id="long",
            marks=pytest.mark.long,
        ),
    ],
)
def test_all_kinds_of_write_at_once_keep_the_protocol(
    live_server_processes: Callable[[int], LiveServer],
    tmp_path: Path,
    seconds: float,
    record_property: Callable[[str, object], None],
) -> None:
    server = live_server_processes(2)
    install_audit(server.environment)
    members = crowd(server, members=_MEMBERS)
    shared = members[0].shared
    with _no_deadlock(server.environment), ExitStack() as operators:
        for number in range(_OPERATORS):
            operators.enter_context(
                _operator(server.environment, tmp_path / f"{number}", shared.groups)
            )
        live_together(members, seconds=seconds)
    record_property("answers", sum(shared.answers.values()))
    assert shared.refused == []
    transactions = audited(server.environment)
    _check_positions(transactions)
    _check_versions(transactions)
    _check_messages(transactions, shared)
    _check_consistency(server.environment)


@contextmanager
def _operator(
    environment: Mapping[str, str], folder: Path, groups: Sequence[int]
) -> Iterator[None]:
    """At work while the block runs; what it could not do fails it."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.prove.operator", str(folder), *map(str, groups)],
        env=dict(environment),
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
    )
    try:
        yield
    finally:
        process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0


@contextmanager
def _no_deadlock(environment: Mapping[str, str]) -> Iterator[None]:
    before = _deadlocks(environment)
    yield
    assert _deadlocks(environment) == before


def _deadlocks(environment: Mapping[str, str]) -> int:
    """How many PostgreSQL has ended in this database; SQLite has none."""
    if connection.vendor == "sqlite":
        return 0
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as database:
        row = database.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    number: int = row[0]
    return number


def _check_positions(transactions: Sequence[Transaction]) -> None:
    """Every step of the clock is an event's, and every event is numbered by one."""
    for transaction in transactions:
        stepped = [
            position
            for low, high in transaction.ticks
            for position in range(low + 1, high + 1)
        ]
        assert sorted(transaction.positions) == stepped
    positions = sorted(
        position for transaction in transactions for position in transaction.positions
    )
    assert positions == [*range(positions[0], positions[0] + len(positions))]
    # Those of the last moment may have no number yet.
    events = sum(len(transaction.events) for transaction in transactions)
    assert len(positions) <= events <= len(positions) + _MEMBERS


def _check_versions(transactions: Sequence[Transaction]) -> None:
    """A transaction raises a version once and by one, and tells of it."""
    for transaction in transactions:
        told = {conversation for _, conversation in transaction.events}
        renamed = any(kind == "user.updated" for kind, _ in transaction.events)
        for conversation, raised in transaction.versions.items():
            [(low, high)] = raised
            assert high == low + 1
            assert conversation in told or renamed, transaction


def _check_messages(transactions: Sequence[Transaction], shared: Shared) -> None:
    """Each that was acknowledged has its event."""
    created = Counter(
        conversation or 0
        for transaction in transactions
        for kind, conversation in transaction.events
        if kind == "message.created"
    )
    assert not shared.sent - created


def _check_consistency(environment: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "check_consistency"],
        env=dict(environment),
        cwd=settings.BASE_DIR,
        check=True,
        stdout=subprocess.DEVNULL,
    )
