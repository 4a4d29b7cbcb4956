"""Databases of every earlier version, with data in them, brought up to date."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from pydantic import TypeAdapter

from tests.databases import fresh_database, migrate
from tests.live_server import served_by
from tests.prove.old_database import APP, Table

_TABLES = TypeAdapter(dict[str, Table])
_READ_ONES_GO = "0026_read_notifications_are_not_kept"


def _migrations() -> list[str]:
    graph = MigrationLoader(None).graph
    [newest] = graph.leaf_nodes(APP)
    return [name for app, name in graph.forwards_plan(newest) if app == APP]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    with fresh_database(tmp_path) as url:
        yield served_by(url, tmp_path)


@pytest.mark.django_db
@pytest.mark.parametrize("migration", _migrations())
def test_an_older_database_keeps_all_it_has(
    environment: Mapping[str, str], migration: str
) -> None:
    migrate(environment, APP, migration)
    before = _old_database(environment, "fill", migration)
    if migration < _READ_ONES_GO:
        _forget_what_was_read(before["messaging_notification"])
    empty = {name for name, table in before.items() if not table["rows"]}
    assert empty <= {"messaging_user_groups", "messaging_user_user_permissions"}
    migrate(environment)
    after = _old_database(environment, "dump")
    for name, table in before.items():
        assert _rows(after[name], table["columns"]) == _rows(table, table["columns"])
    _run(environment, "manage.py", "check_consistency")


@pytest.mark.django_db
def test_the_migrations_make_what_the_models_are() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def _forget_what_was_read(notifications: Table) -> None:
    """Read notifications of ordinary messages: all else is kept."""
    read, kind = map(notifications["columns"].index, ("is_read", "kind"))
    rows = notifications["rows"]
    kept = [row for row in rows if (row[read], row[kind]) != ("True", "'message'")]
    assert 0 < len(kept) < len(rows)
    notifications["rows"] = kept


def _rows(table: Table, columns: list[str]) -> list[list[str]]:
    """All rows, of these columns alone; no column may have gone."""
    places = [table["columns"].index(column) for column in columns]
    return sorted([row[place] for place in places] for row in table["rows"])


def _old_database(environment: Mapping[str, str], *command: str) -> dict[str, Table]:
    printed = _run(environment, "-m", "tests.prove.old_database", *command)
    return _TABLES.validate_json(printed)


def _run(environment: Mapping[str, str], *command: str) -> bytes:
    return subprocess.run(
        [sys.executable, *command],
        env={**environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=settings.BASE_DIR,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
