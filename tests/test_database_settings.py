"""What each connection of a server asks of its database."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.databases import fresh_database
from tests.live_server import served_by

_ASKED = {
    "sqlite": {
        "PRAGMA journal_mode": "wal",
        # FULL: no acknowledged write is lost when the power goes.
        "PRAGMA synchronous": "2",
        "PRAGMA foreign_keys": "1",
        # Whatever build of SQLite this is.
        "PRAGMA secure_delete": "1",
    },
    "postgresql": {
        "SHOW synchronous_commit": "on",
        "SHOW idle_in_transaction_session_timeout": "1min",
        "SHOW lock_timeout": "20s",
    },
}
_ASK = """
from django.db import connection
with connection.cursor() as cursor:
    for question in {}:
        cursor.execute(question)
        print(*cursor.fetchone())
"""


@pytest.mark.django_db
def test_it_is_durable_and_ends_what_hangs(tmp_path: Path) -> None:
    asked = _ASKED[connection.vendor]
    with fresh_database(tmp_path) as url:
        process = subprocess.run(
            [
                *(sys.executable, "manage.py", "shell", "--verbosity", "0"),
                *("--command", _ASK.format([*asked])),
            ],
            env=served_by(url, tmp_path),
            cwd=settings.BASE_DIR,
            check=True,
            capture_output=True,
            text=True,
        )
    assert process.stdout.split() == [*asked.values()]
