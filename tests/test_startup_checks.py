"""Nonsense stops every start with a line that says what it is, and with nothing else."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from messaging.services.migrations import later_migrations, missing_migrations
from tests.databases import fresh_database, migrate
from tests.live_server import free_port, served_by
from tests.programs import manage, run
from tests.redis_servers import redis_at
from tests.refused_starts import SECRET, refusal, worker


class Start(Protocol):
    def __call__(
        self, environment: Mapping[str, str], *arguments: str
    ) -> "subprocess.CompletedProcess[str]": ...


NONSENSE = [
    ("PARLEY_DEBUG", "perhaps", "PARLEY_DEBUG takes true or false."),
    ("PARLEY_HTTPS", "of course", "PARLEY_HTTPS takes true or false."),
    ("PARLEY_RATE_LIMITS", "some", "PARLEY_RATE_LIMITS takes true or false."),
    ("PARLEY_LOG_DETAILS", "2", "PARLEY_LOG_DETAILS takes true or false."),
    ("PARLEY_LOG_LEVEL", "loud", "PARLEY_LOG_LEVEL takes 'DEBUG', 'INFO'"),
    ("PARLEY_LOG_FORMAT", "xml", "PARLEY_LOG_FORMAT takes 'json' or 'line'."),
    ("PARLEY_REGISTRATION", "shut", "PARLEY_REGISTRATION takes 'open', 'invite'"),
    ("PARLEY_WORKERS", "0", "PARLEY_WORKERS takes a number from 1."),
    ("PARLEY_WORKERS", "two", "PARLEY_WORKERS takes a whole number."),
    ("PARLEY_TRUSTED_PROXIES", "-1", "PARLEY_TRUSTED_PROXIES takes a number from 0."),
    ("PARLEY_MAX_STREAMS", "0", "PARLEY_MAX_STREAMS takes a number above 0."),
    ("PARLEY_MAX_STREAMS", "1.5", "PARLEY_MAX_STREAMS takes a whole number."),
    ("PARLEY_MAX_BODY_BYTES", "1 MB", "PARLEY_MAX_BODY_BYTES takes a whole number."),
    ("PARLEY_SEND_SECONDS", "99999999999999", "takes a number up to 86400."),
    *(
        ("PARLEY_WORKERS", number, "PARLEY_WORKERS takes a whole number.")
        for number in ("1_0", " 5", "5 ", "+5", "5.0", "\u0665")
    ),
    ("PARLEY_EVENT_RETENTION_DAYS", "9999999999", "takes a number up to 36500."),
    *(
        (f"PARLEY_LIMIT_{limit}", rate, "takes a rate such as 10/15m or 100/h.")
        for limit in ("SIGN_IN", "SIGN_IN_ADDRESS", "REGISTRATIONS", "WRITES", "READS")
        for rate in ("ten", "10", "0/1m", "10/1w")
    ),
    ("PARLEY_SECRET_KEY", "x", "PARLEY_SECRET_KEY takes keys that cannot be guessed"),
    ("PARLEY_SECRET_KEY", "a" * 64, "PARLEY_SECRET_KEY takes keys that cannot be"),
    ("PARLEY_SECRET_KEY_FALLBACKS", "x", "PARLEY_SECRET_KEY_FALLBACKS takes keys"),
    ("PARLEY_METRICS_TOKEN", "x", "PARLEY_METRICS_TOKEN takes 16 ASCII characters"),
    ("PARLEY_METRICS_TOKEN", "é" * 32, "PARLEY_METRICS_TOKEN takes 16 ASCII"),
    *(
        ("PARLEY_ALLOWED_HOSTS", hosts, "PARLEY_ALLOWED_HOSTS takes host names")
        for hosts in (
            "https://chat.example.org",
            "chat.example.org:443",
            "chat.example.org/",
            "a.example b.example",
            "::1",
            "bücher.example",
        )
    ),
    ("PARLEY_ALLOWED_HOSTS", ",", "PARLEY_ALLOWED_HOSTS names no host"),
    *(
        ("PARLEY_CSRF_TRUSTED_ORIGINS", origins, "takes origins with their scheme")
        for origins in (
            "chat.example.org",
            "https://chat.example.org/",
            "ftp://chat.example.org",
            "https://",
            "https://chat.example.org:port",
        )
    ),
    *(
        ("DATABASE_URL", url, "DATABASE_URL names no file: it takes three slashes")
        for url in ("sqlite://x.db", "sqlite://", "sqlite:///", "sqlite:x.db")
    ),
    ("DATABASE_URL", "sqlite://:memory:", "DATABASE_URL names no file"),
    *(
        ("DATABASE_URL", f"sqlite:///{name}", "DATABASE_URL names no file")
        for name in (":memory:", "%3Amemory%3A", "file:x%3Fmode=memory")
    ),
    ("DATABASE_URL", "sqlite:///x.db?mode=ro", "DATABASE_URL takes nothing after"),
    *(
        ("DATABASE_URL", url, "DATABASE_URL takes sqlite:///name")
        for url in (
            "x.db",
            "/srv/x.db",
            f"mysql://ada:{SECRET}@host/name",
            f"postgres://ada:{SECRET}#1@host/name",
            f"postgres://ada:{SECRET}@host:port/name",
            f"postgres://ada:{SECRET}@host:70000/name",
            f"prostgres://ada:{SECRET}@host/name",
        )
    ),
    ("DATABASE_URL", f"postgres://ada:{SECRET}@host", "names no database"),
    (
        "DATABASE_URL",
        f"postgres://ada:{SECRET}@host/name?colour=red",
        "takes only libpq's connection parameters",
    ),
    ("PARLEY_DATABASE_POOLER", "transaction", "POOLER takes true or false."),
    ("PARLEY_DATABASE_POOLER", "on", "needs PARLEY_DIRECT_DATABASE_URL or REDIS_URL"),
    ("PARLEY_DIRECT_DATABASE_URL", f"postgres://ada:{SECRET}@host/name", "is only for"),
    ("PARLEY_PARTITIONS", "1000", "PARTITIONS takes a number up to 256."),
    ("PARLEY_PARTITIONS", "16", "is for PostgreSQL, not for SQLite."),
    *(
        ("REDIS_URL", url, "REDIS_URL takes redis://host:6379/0")
        for url in (
            "localhost",
            "localhost:6379",
            f"http://:{SECRET}@host/0",
            f"redis://:{SECRET}@host:port/0",
            f"redis://:{SECRET}@host:70000/0",
            f"redis://:{SECRET}@host/zero",
            f"redis://:{SECRET}#1@host/0",
            "redis://",
            *(
                f"redis://:{SECRET}@host/0?{query}"
                for query in (
                    "db=abc",
                    "socket_timeout=abc",
                    "nonsense=1",
                    "ssl_cert_reqs=none",
                    "protocol=9",
                )
            ),
            f"rediss://:{SECRET}@host/0?ssl_cert_reqs=perhaps",
            "unix:///x?db=abc",
        )
    ),
    ("PROMETHEUS_MULTIPROC_DIR", "/nowhere", "takes a folder that is there"),
    ("PARLEY_REGISTRATON", "closed", "is no setting; is PARLEY_REGISTRATION meant?"),
    ("PARLEY_LIMIT_SIGNIN", "5/1h", "is no setting; is PARLEY_LIMIT_SIGN_IN meant?"),
]


@pytest.mark.parametrize(("name", "value", "line"), NONSENSE)
def test_a_variable_that_means_nothing_stops_the_start(
    plain: dict[str, str], name: str, value: str, line: str
) -> None:
    # What every start begins with; half a second sooner.
    process = run(
        {**plain, name: value}, sys.executable, "-c", "import config.settings"
    )
    assert line in refusal(process)
    assert name in process.stderr


def test_each_fault_has_its_line(plain: dict[str, str]) -> None:
    process = manage({**plain, "PARLEY_DEBUG": "x", "PARLEY_WORKERS": "0"}, "check")
    assert process.stderr.splitlines() == [
        "parley: PARLEY_DEBUG takes true or false.",
        "parley: PARLEY_WORKERS takes a number from 1.",
    ]


def test_debugging_does_not_go_with_a_server_for_others(plain: dict[str, str]) -> None:
    environment = {**plain, "PARLEY_DEBUG": "on", "PARLEY_HTTPS": "on"}
    assert "PARLEY_DEBUG" in refusal(manage(environment, "check"))


@pytest.mark.parametrize(
    ("url", "direct", "line"),
    [
        ("", "postgres://host/name", "PARLEY_DATABASE_POOLER is for PostgreSQL"),
        (
            "postgres://host/name",
            f"sqlite:///{SECRET}",
            "PARLEY_DIRECT_DATABASE_URL takes postgres://user:password@host",
        ),
        (
            "postgres://host/name",
            f"postgres://ada:{SECRET}@host",
            "PARLEY_DIRECT_DATABASE_URL names no database",
        ),
    ],
)
def test_a_pooler_stands_before_postgresql(
    plain: dict[str, str], url: str, direct: str, line: str
) -> None:
    environment = {
        **plain,
        "DATABASE_URL": url,
        "PARLEY_DATABASE_POOLER": "on",
        "PARLEY_DIRECT_DATABASE_URL": direct,
    }
    assert line in refusal(manage(environment, "check"))


def test_an_unknown_variable_is_reported_and_ignored(
    plain: dict[str, str],
) -> None:
    process = manage({**plain, "PARLEY_COLOUR": "red"}, "check")
    assert process.returncode == 0
    (line,) = process.stderr.splitlines()
    assert line.startswith("parley: warning: PARLEY_COLOUR is no setting")


def test_what_kubernetes_says_of_a_service_called_parley_is_no_setting(
    plain: dict[str, str],
) -> None:
    process = manage(
        {
            **plain,
            "PARLEY_PORT": "tcp://10.0.0.1:80",
            "PARLEY_PORT_80_TCP_ADDR": "10.0.0.1",
            "PARLEY_SERVICE_HOST": "10.0.0.1",
        },
        "check",
    )
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize("start", [manage, worker])
def test_whatever_is_started_refuses_alike(plain: dict[str, str], start: Start) -> None:
    environment = {**plain, "REDIS_URL": "localhost:6379"}
    assert "REDIS_URL takes" in refusal(start(environment, "migrate"))


@pytest.mark.parametrize("workers", ["0", "many", "1000", "-1"])
def test_the_script_that_serves_takes_some_workers(
    plain: dict[str, str], workers: str
) -> None:
    process = run({**plain, "PARLEY_WORKERS": workers}, "scripts/serve")
    assert process.returncode != 0
    (line,) = process.stderr.splitlines()
    assert "PARLEY_WORKERS" in line


# What is kept


def test_a_secret_key_that_is_empty_is_none(plain: dict[str, str]) -> None:
    data = Path(plain["PARLEY_DATA_DIR"])
    data.mkdir()
    for kept in (b"", b"x\n", b"\xff" * 64):
        (data / "secret-key").write_bytes(kept)
        assert str(data / "secret-key") in refusal(manage(plain, "check"))


def test_data_goes_into_a_folder(plain: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below"):
        process = manage({**plain, "PARLEY_DATA_DIR": str(place)}, "migrate")
        assert "PARLEY_DATA_DIR" in refusal(process)


def test_data_goes_where_it_can_be_written(plain: dict[str, str]) -> None:
    process = manage({**plain, "PARLEY_DATA_DIR": "/proc/nowhere"}, "migrate")
    assert "PARLEY_DATA_DIR: cannot make /proc/nowhere" in refusal(process)


def test_a_file_that_is_no_database_is_reported_and_left_unchanged(
    plain: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear Grace, " * 1000)
    other.chmod(0o644)
    environment = {**plain, "DATABASE_URL": f"sqlite:///{other}"}
    for process in (manage(environment, "migrate"), worker(environment)):
        assert "file is not a database" in refusal(process)
    assert other.read_text() == "Dear Grace, " * 1000
    assert other.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("place", ["/nowhere/x.db", "/proc/x.db"])
def test_a_database_where_there_can_be_none(plain: dict[str, str], place: str) -> None:
    process = manage({**plain, "DATABASE_URL": f"sqlite:///{place}"}, "migrate")
    assert "DATABASE_URL: the database cannot be used: unable" in refusal(process)


def test_a_damaged_database_is_reported(plain: dict[str, str], tmp_path: Path) -> None:
    damaged = tmp_path / "x.db"
    environment = {**plain, "DATABASE_URL": f"sqlite:///{damaged}"}
    migrate(environment)
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:1000] + b"\xff" * (len(whole) - 1000))
    assert "malformed" in refusal(manage(environment, "create_invite"))


@pytest.mark.django_db
def test_a_database_that_was_not_migrated_serves_nobody(tmp_path: Path) -> None:
    with fresh_database(tmp_path) as url:
        environment = served_by(url, tmp_path)
        for process in (manage(environment, "create_invite"), worker(environment)):
            assert "The database is not migrated: run" in refusal(process)


@pytest.mark.django_db
def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    with fresh_database(tmp_path) as url:
        environment = served_by(url, tmp_path)
        migrate(environment)
        _record_a_later_migration(url)
        for process in (
            manage(environment, "migrate"),
            manage(environment, "create_invite"),
            worker(environment),
        ):
            assert "newer than this version of Parley" in refusal(process)
            assert "messaging.9999_later" in process.stderr


def _record_a_later_migration(url: str) -> None:
    later = (
        "INSERT INTO django_migrations (app, name, applied)"
        " VALUES ('messaging', '9999_later', '2026-01-01')"
    )
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            database.execute(later)
            database.commit()
    else:
        with psycopg.connect(url) as server:
            server.execute(sql.SQL(later))


def test_an_unknown_database_host_is_reported_in_one_line(
    plain: dict[str, str],
) -> None:
    url = f"postgres://ada:{SECRET}@host.invalid/name"
    process = manage({**plain, "DATABASE_URL": url}, "migrate")
    assert "failed to resolve host 'host.invalid'" in refusal(process)


def test_an_unreachable_database_server_is_reported_in_one_line(
    plain: dict[str, str],
) -> None:
    url = f"postgres://ada:{SECRET}@127.0.0.1:1/name"
    process = manage({**plain, "DATABASE_URL": url}, "migrate")
    assert "port 1 failed: Connection refused" in refusal(process)


@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.parametrize("start", [manage, worker])
@pytest.mark.parametrize("wrong", ["role", "database"])
def test_a_wrong_role_or_database_is_reported_in_one_line(
    plain: dict[str, str], start: Start, wrong: str
) -> None:
    base = settings.DATABASES["default"]
    role = "nobody-here" if wrong == "role" else base["USER"]
    url = f"postgres://{role}:{SECRET}@{base['HOST']}:{base['PORT'] or 5432}/not-there"
    process = start({**plain, "DATABASE_URL": url}, "migrate")
    assert f'{wrong} "' in refusal(process)


# Redis


def test_without_redis_commands_go_on_and_say_so(plain: dict[str, str]) -> None:
    process = manage(
        {**plain, "REDIS_URL": f"redis://:{SECRET}@127.0.0.1:1/0"}, "migrate", "-v0"
    )
    assert process.returncode == 0
    (line,) = process.stderr.splitlines()
    assert line.startswith("parley: warning: REDIS_URL: Redis does not answer")
    assert SECRET not in line


@pytest.mark.skipif("not settings.PARLEY_REDIS_URL")
def test_a_redis_error_is_reported_in_one_line(plain: dict[str, str]) -> None:
    url = settings.PARLEY_REDIS_URL.rpartition("/")[0]
    process = manage({**plain, "REDIS_URL": f"{url}/9999"}, "migrate")
    assert "REDIS_URL: Redis says no: ResponseError." in refusal(process)


@pytest.fixture
def redis_folder(tmp_path: Path) -> Path:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server to start")
    folder = tmp_path / "redis"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("path", ["", "/0", "/3"])
def test_a_redis_cluster_is_refused(
    plain: dict[str, str], redis_folder: Path, path: str
) -> None:
    port = free_port()
    cluster = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    with redis_at(port, redis_folder, *cluster):
        url = f"redis://127.0.0.1:{port}{path}"
        process = manage({**plain, "REDIS_URL": url}, "migrate", "-v0")
    assert refusal(process).startswith("parley: REDIS_URL: this is a node of a cluster")


@pytest.mark.parametrize("start", [manage, worker])
def test_a_redis_sentinel_is_refused(
    plain: dict[str, str], redis_folder: Path, start: Start
) -> None:
    port = free_port()
    # It writes into its file what it learns.
    file = redis_folder / "sentinel.conf"
    file.touch()
    migrate(plain)
    with redis_at(port, redis_folder, str(file), "--sentinel"):
        url = f"redis://127.0.0.1:{port}/0"
        process = start({**plain, "REDIS_URL": url}, "migrate", "-v0")
    assert refusal(process).startswith("parley: REDIS_URL: this is a sentinel")


@pytest.mark.parametrize(
    "url",
    [
        f"redis+sentinel://:{SECRET}@host:26379/main/0",
        f"sentinel://:{SECRET}@host:26379,other:26379/0",
        f"rediss+cluster://:{SECRET}@host:7000",
        f"redis://:{SECRET}@host:7000,other:7001/0",
    ],
)
def test_addresses_of_several_redis_servers_are_refused(
    plain: dict[str, str], url: str
) -> None:
    line = refusal(manage({**plain, "REDIS_URL": url}, "check"))
    assert line.startswith("parley: REDIS_URL names one Redis server")


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru", "volatile-ttl"])
@pytest.mark.parametrize("admits", [True, False])
def test_a_redis_that_may_forget_counters_is_reported(
    plain: dict[str, str], redis_folder: Path, policy: str, *, admits: bool
) -> None:
    """As hosted ones do, it may refuse to show its configuration."""
    port = free_port()
    evicting = ("--maxmemory", "10mb", "--maxmemory-policy", policy)
    hidden = () if admits else ("--rename-command", "CONFIG", "")
    with redis_at(port, redis_folder, *evicting, *hidden):
        url = f"redis://127.0.0.1:{port}/0"
        process = manage({**plain, "REDIS_URL": url}, "migrate", "-v0")
    assert process.returncode == 0
    if policy == "noeviction":
        assert process.stderr == ""
        return
    (line,) = process.stderr.splitlines()
    assert line.startswith("parley: warning: REDIS_URL: Redis may forget")
    assert policy in line


def test_a_redis_that_tells_nothing_of_itself_serves(
    plain: dict[str, str], redis_folder: Path
) -> None:
    port = free_port()
    with redis_at(port, redis_folder, "--maxmemory-policy", "allkeys-lru") as client:
        client.acl_setuser(
            "parley",
            enabled=True,
            passwords=[f"+{SECRET}"],
            keys=["*"],
            channels=["*"],
            commands=["+@all", "-info", "-config"],
        )
        url = f"redis://parley:{SECRET}@127.0.0.1:{port}/0"
        process = manage({**plain, "REDIS_URL": url}, "migrate", "-v0")
    assert (process.returncode, process.stderr) == (0, "")


def test_the_migrations_of_this_version_are_known(db: None) -> None:
    """Or every start would be refused."""
    assert later_migrations() == missing_migrations() == []
