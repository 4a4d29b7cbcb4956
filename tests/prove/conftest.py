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
def programs() -> Path:
    """Where those of PostgreSQL's server are."""
    found = postgres_programs()
    return _missing("initdb and pg_ctl") if found is None else found


@pytest.fixture(scope="session")
def postgres(programs: Path) -> Iterator[PostgresServer]:
    """A cluster that a test may stop; it leaves it running."""
    with private_postgres(programs) as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A Redis that a test may stop; it leaves it running."""
    if shutil.which("redis-server") is None:
        _missing("redis-server")
    with private_redis() as server:
        yield server


def _missing(programs: str) -> Path:
    reason = f"{programs} not installed, which this breaks and mends"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
