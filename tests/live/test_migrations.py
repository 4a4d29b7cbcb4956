"""Nodes of one installation that start together, each of which migrates first."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from config.postgresql.partitions.tables import TABLES
from messaging.services.migrations import migration_lock
from tests.databases import connection_to, fresh_database, migrate, migrated_database
from tests.live_server import served_by
from tests.messaging.other_connection import only_postgres
from tests.schemas import is_divided, table_definitions

_PATIENCE = 300
# The first version whose tables can be divided.
_FIRST_TO_DIVIDE = ("messaging", "0024_events_are_numbered_later")


def test_two_that_migrate_an_empty_database_at_once_both_succeed(
    tmp_path: Path,
) -> None:
    with fresh_database(tmp_path) as url:
        environment = served_by(url, tmp_path)
        nodes = [_migrating(environment) for _ in range(2)]
        said = [node.communicate(timeout=_PATIENCE)[0] for node in nodes]
        assert [node.returncode for node in nodes] == [0, 0], said
        # One did it all, and the other waited for that.
        assert sorted("No migrations to apply" in each for each in said) == [
            False,
            True,
        ]
        # Whoever comes later waits for nobody.
        migrate(environment)


@pytest.mark.django_db
def test_one_that_waits_for_another_says_so(tmp_path: Path) -> None:
    with migrated_database(tmp_path) as url:
        with migration_lock(connection_to(url), on_wait=pytest.fail):
            node = _migrating(served_by(url, tmp_path))
            assert node.stdout is not None
            said = node.stdout.readline()
        rest, _ = node.communicate(timeout=_PATIENCE)
    assert "Another process migrates this database" in said
    assert "No migrations to apply" in rest
    assert node.returncode == 0


@only_postgres
@pytest.mark.django_db
def test_what_was_migrated_is_done_though_the_lock_was_lost(tmp_path: Path) -> None:
    """Its connection is idle meanwhile, and whatever is in between may cut it."""
    with (
        migrated_database(tmp_path) as url,
        migration_lock(connection_to(url), on_wait=pytest.fail),
        closing(connection_to(url)) as other,
        other.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchall() == [(True,)]


@only_postgres
@pytest.mark.django_db
def test_later_migrations_leave_divided_tables_as_new_ones_are(tmp_path: Path) -> None:
    """A key without the conversation, or a reference to a message's id alone, fails here."""
    found = []
    for targets in ([_FIRST_TO_DIVIDE, ("partitions",), ()], [()]):
        with fresh_database(tmp_path) as url:
            divided = {**served_by(url, tmp_path), "PARLEY_PARTITIONS": "2"}
            for target in targets:
                migrate(divided, *target)
            with closing(connection_to(url)) as database:
                assert all(is_divided(table, database) for table in TABLES)
                found.append(table_definitions(database))
    upgraded, new = found
    assert upgraded == new


def _migrating(environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate"],
        env=dict(environment),
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
