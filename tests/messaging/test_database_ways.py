"""SQL and deletions past the ORM go through `messaging.database`, only."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
WAYS: Final = frozenset(
    {"_raw_delete", "execute", "executemany", "executescript", "raw", "RawSQL"}
)

# Which of the ways a file may go itself.
NAMED: Final = {
    # A pipeline of Redis.
    "edge/redis_cache.py": {"execute"},
    # A `Change` deletes rows that refuse to be deleted by anybody else.
    "messaging/changes/change.py": {"_raw_delete"},
    # Numbers what others wrote, which is no change of its own.
    "messaging/changes/numbering.py": {"execute"},
    # NOTIFY, below the ORM.
    "messaging/changes/wakeup.py": {"execute"},
    # A connection of its own, on which it listens; and the file of an SQLite database.
    "messaging/wakeups.py": {"execute"},
    # An advisory lock, on a connection of its own.
    "messaging/services/migrations.py": {"execute"},
    # Settings of the connection of the moment, below the ORM.
    "messaging/lock_timeouts.py": {"execute"},
    # Other databases than Django's: backups, and an import's notes.
    "messaging/services/backups.py": {"execute"},
    "messaging/services/restoring.py": {"execute"},
    "messaging/import_export/staging.py": {"execute", "executemany", "executescript"},
}


def _files() -> Iterator[str]:
    for package in ("messaging", "edge", "api", "chats"):
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts and path.parent.name != "database":
                yield path.relative_to(ROOT).as_posix()


def _ways_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        function.attr
        for function in called
        if isinstance(function, ast.Attribute) and function.attr in WAYS
    }


def test_only_the_named_files_go_past_the_database_module() -> None:
    assert {file: ways for file in _files() if (ways := _ways_of(file))} == NAMED


def _reads_bare_epoch(file: str) -> bool:
    tree = ast.parse((ROOT / file).read_text())
    return any(
        ast.unparse(argument) == "'epoch'"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) != "OnTimeline"
        for argument in node.args
    )


def test_the_epoch_is_read_with_the_timeline_alone() -> None:
    assert [file for file in _files() if _reads_bare_epoch(file)] == []


def _goes_past_guards(file: str) -> bool:
    """Whether it calls `QuerySet` itself, or saves a row as it is."""
    tree = ast.parse((ROOT / file).read_text())
    called = {
        ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)
    }
    return any(
        name.startswith("QuerySet") or name.endswith(".save_base") for name in called
    )


def test_only_a_change_goes_past_the_guards_of_rows() -> None:
    """Those of messaging/models/guarded.py are methods of a model's own querysets."""
    past = {file for file in _files() if _goes_past_guards(file)}
    assert past == {
        "messaging/changes/change.py",
        # The only row, made by a migration: there is no clock yet to end a change by.
        "messaging/services/installation.py",
    }
