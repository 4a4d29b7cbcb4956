"""When the write-ahead log of SQLite is emptied, and what keeps it from being."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config.sqlite import checkpoints
from config.sqlite.checkpoints import LogTruncation
from config.sqlite.write_queue import WriteLock


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "database.sqlite3"


@pytest.fixture
def writer(database: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who has written just now, and stays connected."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE line (content TEXT)")
        write_lock = WriteLock(database)
        write_lock.acquire(timeout=1)
        write_lock.release()
        yield connection


def log_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def age(file: Path, *, seconds: float) -> None:
    os.utime(file, times=(time.time() - seconds,) * 2)


def test_a_log_is_emptied_when_writers_rest(
    database: Path, writer: sqlite3.Connection
) -> None:
    age(log_of(database), seconds=2)
    LogTruncation(database).look()
    assert log_of(database).stat().st_size == 0
    assert writer.execute("SELECT count(*) FROM line").fetchone() == (0,)


def test_between_two_writes_it_is_left_alone(
    database: Path, writer: sqlite3.Connection
) -> None:
    LogTruncation(database).look()
    assert log_of(database).stat().st_size > 0


def test_writers_that_never_rest_do_not_keep_it(
    database: Path, writer: sqlite3.Connection
) -> None:
    write_lock = database.with_name(f"{database.name}-turn")
    age(write_lock, seconds=61)
    LogTruncation(database).look()
    assert log_of(database).stat().st_size == 0
    # Another process sees that, and does not truncate it for the next minute.
    writer.execute("INSERT INTO line VALUES ('more')")
    LogTruncation(database).look()
    assert log_of(database).stat().st_size > 0


def test_a_long_reader_delays_the_checkpoint_and_is_not_disturbed(
    database: Path, writer: sqlite3.Connection
) -> None:
    truncation = LogTruncation(database)
    writer.execute("INSERT INTO line VALUES ('before')")
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM line").fetchone() == (1,)
        writer.execute("DELETE FROM line")
        age(log_of(database), seconds=2)
        truncation.look()
        assert log_of(database).stat().st_size > 0
        assert reader.execute("SELECT count(*) FROM line").fetchone() == (1,)
    truncation.finish()
    assert log_of(database).stat().st_size == 0


def test_a_writer_is_let_finish(
    database: Path, writer: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    write_lock = WriteLock(database)
    write_lock.acquire(timeout=1)
    age(log_of(database), seconds=2)
    LogTruncation(database).look()
    write_lock.release()
    assert log_of(database).stat().st_size > 0
    assert "not emptied" in caplog.text


def test_where_there_is_no_log_there_is_nothing_to_do(tmp_path: Path) -> None:
    truncation = LogTruncation(tmp_path / "missing.sqlite3")
    truncation.look()
    truncation.finish()
    assert list(tmp_path.iterdir()) == []


def test_what_is_promised_is_what_is_done() -> None:
    """By README.md and by the page that asks whether to delete an account."""
    assert checkpoints._EVERY_SECONDS <= 60
    assert checkpoints._RESTING_SECONDS <= 5
