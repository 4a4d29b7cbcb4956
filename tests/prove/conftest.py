"""Fixtures of the proofs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.prove.private_servers import (
    PostgresServer,
    RedisServer,
    postgres_programs,
    private_postgres,
    private_redis,
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A cluster that a test may stop; it leaves it running."""
    with private_postgres(_postgres_programs()) as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A Redis that a test may stop; it leaves it running."""
    if shutil.which("redis-server") is None:
        _missing("redis-server")
    with private_redis() as server:
        yield server


def _postgres_programs() -> Path:
    programs = postgres_programs()
    return _missing("initdb and pg_ctl") if programs is None else programs


def _missing(programs: str) -> Path:
    reason = f"{programs} not installed, which this breaks and mends"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
