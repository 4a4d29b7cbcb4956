"""What each connection of a server asks of its database."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import InternalError, connection

from config.databases import database_settings, direct_database_settings
from messaging.models import User
from tests.databases import connection_to, fresh_database, migrate
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


def test_several_hosts_and_all_parameters_reach_libpq() -> None:
    """So that a failover is followed, and whoever asks for TLS gets it or nothing."""
    read = database_settings(
        "postgres://ada:a%20b@one,two:5433/name?target_session_attrs=read-write"
        "&sslmode=verify-full&options=-c%20search_path%3Dparley"
    )
    assert (read["HOST"], read["PORT"], read["NAME"]) == ("one,two", ",5433", "name")
    assert (read["USER"], read["PASSWORD"]) == ("ada", "a b")
    options = read["OPTIONS"]
    assert options["target_session_attrs"] == "read-write"
    assert options["sslmode"] == "verify-full"
    # What hangs is ended all the same.
    assert str(options["options"]).startswith("-c idle_in_transaction_session_timeout=")
    assert str(options["options"]).endswith(" -c search_path=parley")


def test_a_pooler_is_asked_for_nothing_of_a_session() -> None:
    url = "postgres://ada@host/name"
    pooled = database_settings(url, pooled=True)
    assert "options" not in pooled["OPTIONS"]
    assert pooled["OPTIONS"]["prepare_threshold"] is None
    assert pooled["DISABLE_SERVER_SIDE_CURSORS"]
    direct = direct_database_settings(url)
    assert direct == database_settings(url)
    assert direct["OPTIONS"]["prepare_threshold"] is not None


needs_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="of a connection to PostgreSQL"
)


@needs_postgres
@pytest.mark.django_db
def test_of_several_hosts_one_that_answers_is_used(tmp_path: Path) -> None:
    with fresh_database(tmp_path) as url:
        parts = urlsplit(url)
        several = parts.netloc.replace("@", "@127.0.0.1:1,")
        environment = served_by(parts._replace(netloc=several).geturl(), tmp_path)
        migrate(environment)


def _backend() -> int:
    """The server's process that answers a request which begins now."""
    connection.close_if_unusable_or_obsolete()
    User.objects.exists()
    pid: int = connection.connection.info.backend_pid
    return pid


@needs_postgres
@pytest.mark.django_db(transaction=True)
def test_an_idle_connection_alone_is_asked_whether_it_is_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it would answer is seen from what becomes of it: it takes no writes any more."""
    first = _backend()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    assert _backend() == first
    monkeypatch.setattr("config.postgresql.base._IDLE_SECONDS", 0)
    assert _backend() != first


@needs_postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_its_server_ended_is_left() -> None:
    """No request meets the end of a server that came back before it."""
    first = _backend()
    name = settings.DATABASES["default"]["NAME"]
    with closing(connection_to(name)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [first])
    assert _backend() != first


@needs_postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_to_what_became_a_standby_is_left() -> None:
    """With `target_session_attrs=read-write`, the next one leads to the new primary."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    with pytest.raises(InternalError):
        User.objects.update(is_active=True)
    connection.close_if_unusable_or_obsolete()
    User.objects.update(is_active=True)


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
