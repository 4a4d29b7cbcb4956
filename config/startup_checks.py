"""Startup checks, before a process serves or a command runs.

They check that only their owner may read our files, that this version can use the
database, and that all nodes have one secret key. A fault ends the process with one line on standard error.
"""

import logging
import os
import signal
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NoReturn

import django
from django.conf import settings
from django.core.management import execute_from_command_line, get_commands
from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from redis import Redis, RedisError
from redis.exceptions import AuthenticationError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from config.databases import DIRECT
from config.postgresql.poolers import (
    UndeclaredPoolerError,
    is_declared,
    require_fit_pooler,
)
from config.sqlite.files import database_files
from config.startup_errors import StartError, one_line, reporting_start_errors, warn
from messaging.services.migrations import later_migrations, missing_migrations
from messaging.wakeups import listening_connection

logger = logging.getLogger(__name__)

_OTHERS_MAY: Final = stat.S_IROTH | stat.S_IWOTH
_PRIVATE: Final = ("secret-key", "demo-password")
# Commands that work on a faulty database, or check it themselves.
_ANY_DATABASE: Final = {"backup", "restore"}
_OF_DJANGO: Final = {"migrate", "runserver", "createsuperuser", "changepassword"}
# Commands that make what the secret key signs.
_SIGNING: Final = {"runserver", "seed_demo", "setup_code"}
_OTHER_KEY: Final = (
    "Another secret key is that of this database: give all nodes the same"
    " PARLEY_SECRET_KEY. To replace it, keep the old one in PARLEY_SECRET_KEY_FALLBACKS;"
    " if it is lost or leaked, or this database is a copy, run `manage.py renew_epoch`."
)
_REDIS_PATIENCE_SECONDS: Final = 1
# The only `maxmemory-policy` by which nothing is forgotten before it expires.
_KEEPS_ALL: Final = "noeviction"
# libpq's messages contain this if a server answered with a refusal.
_REFUSED: Final = "FATAL:"
_SOON: Final = (
    *("starting up", "shutting down", "recovery mode", "too many"),
    # PgBouncer's words for a server that is away or busy, and for too many clients.
    *("client_login_timeout", "query_wait_timeout", "server_login_retry"),
    *("cannot connect to server", "no more connections"),
)


def run_command(arguments: Sequence[str]) -> None:
    """Check the installation, and run a command of `manage.py`."""
    os.umask(0o077)
    _end_in_order()
    with reporting_start_errors():
        for line in (*_unknown_settings(), *made_private(_kept_secrets())):
            warn(line)
        # Before anything asks of which kind the database is, which makes a connection.
        _take_direct_database()
        # If settings are invalid, fail here: Django's list of commands would silently
        # omit ours.
        django.setup()
        try:
            for line in _warnings_before(arguments[1:]):
                warn(line)
            execute_from_command_line([*arguments])
        except Error as error:
            if "--traceback" in arguments:
                raise
            raise StartError(_error_text(error, connection)) from error


def _take_direct_database() -> None:
    """Past a pooler: a command may take long, and read more than memory holds."""
    if settings.PARLEY_DIRECT_DATABASE is not None:
        settings.DATABASES["default"] = settings.PARLEY_DIRECT_DATABASE


def _end_in_order() -> None:
    """Exit by an exception on SIGTERM and SIGHUP, so that commands remove temporary files."""
    for kind in (signal.SIGTERM, signal.SIGHUP):
        # Leave an ignored signal alone: nohup ignores SIGHUP.
        if signal.getsignal(kind) is signal.SIG_DFL:
            signal.signal(kind, _exit)


def _exit(kind: int, _frame: object) -> NoReturn:
    sys.exit(128 + kind)


def prepare_worker() -> None:
    """Check files, database, secret key and Redis before a process serves.

    A database or Redis that does not answer is a warning: it may still be starting, and
    `/readyz` reports it. One that answers with a refusal ends the process.
    """
    with reporting_start_errors():
        for line in (
            *_unknown_settings(),
            *_unlikely_settings(),
            *made_private(_kept_secrets()),
        ):
            logger.warning(line)
        try:
            for line in (
                *_database_warnings(migrated=True),
                *_direct_database_warnings(),
                *_redis_warnings(),
            ):
                logger.warning(line)
            _require_secret_key(adopting=True)
        except Error as error:
            logger.warning(_text_unless_refused(error, connection))
        finally:
            connection.close()


def made_private(paths: Iterable[Path]) -> Iterator[str]:
    """Make files unreadable for other users of the machine; yields a line for each.

    Files that only their group may read stay so: somebody shared them on purpose. So do
    files of other owners, which a variable may name by mistake.
    """
    for path in paths:
        try:
            found = path.lstat()
            is_ours = found.st_uid == os.geteuid() and not path.is_symlink()
            if found.st_mode & _OTHERS_MAY and is_ours:
                path.chmod(stat.S_IMODE(found.st_mode) & ~0o077)
                yield f"{path} could be read by everybody on this machine; not any more."
            elif found.st_mode & _OTHERS_MAY and path.is_file():
                yield f"{path} can be read by everybody on this machine."
        except OSError:
            continue


def require_database(*, migrated: bool) -> None:
    """Refuse a database of a later version; with `migrated`, also one that is not migrated.

    Raises:
        StartError
        Error: the database does not answer.
    """
    if later := later_migrations():
        raise StartError(
            f"The database is newer than this version of Parley, which does not know"
            f" {later[0]}: install the version that made it, or restore a backup."
        )
    if migrated and missing_migrations():
        raise StartError("The database is not migrated: run `manage.py migrate`.")


def _warnings_before(arguments: Sequence[str]) -> Iterator[str]:
    """Check database and Redis before a command of ours, or one of `_OF_DJANGO`."""
    command = arguments[0] if arguments else "help"
    if {"-h", "--help", "--version"} & {*arguments}:
        return
    ours = get_commands().get(command) == "messaging" and command not in _ANY_DATABASE
    if ours or command in _OF_DJANGO:
        migrated = command not in {"migrate", "runserver"}
        yield from _database_warnings(migrated=migrated)
        if command in _SIGNING and not missing_migrations():
            _require_secret_key(adopting=False)
        yield from _redis_warnings()


def _require_secret_key(*, adopting: bool) -> None:
    """Refuse if the nodes have another secret key.

    Only what serves is `adopting`: a shell may lack the variables of a server, and its
    key would be all nodes'.
    """
    # Its models load only when Django is set up, which imports of this module are not.
    from messaging.services import installation  # noqa: PLC0415

    same = (
        installation.adopt_secret_key()
        if adopting
        else installation.secret_key_is_known()
    )
    if not same:
        raise StartError(_OTHER_KEY)


def _database_warnings(*, migrated: bool) -> Iterator[str]:
    require_fit_pooler()
    require_database(migrated=migrated)
    # Only if the file is a database of Parley: a variable may name any file of the
    # machine.
    if connection.vendor == "sqlite" and _is_of_parley():
        warnings = [
            *made_private(database_files(Path(connection.settings_dict["NAME"])))
        ]
        # One warning for all of its files.
        yield from warnings[:1]


def _direct_database_warnings() -> Iterator[str]:
    """Check the way past a pooler, if a server listens there; a warning if nobody answers.

    Raises:
        StartError: another database answers, or one that refuses.
    """
    if settings.PARLEY_DIRECT_DATABASE is None or settings.PARLEY_WAKEUPS == "redis":
        return
    here = _identity(connection)
    with closing(listening_connection()) as direct:
        try:
            there = _identity(direct)
        except Error as error:
            yield _text_unless_refused(error, direct)
            return
    if here != there:
        raise StartError(f"{DIRECT} leads to another database than DATABASE_URL.")


def _identity(database: BaseDatabaseWrapper) -> object:
    """The name of the database, and since when its server runs."""
    with database.cursor() as cursor:
        cursor.execute("SELECT current_database(), pg_postmaster_start_time()")
        return cursor.fetchone()


def _redis_warnings() -> Iterator[str]:
    """Check that Redis answers, and how it is set up; yields warnings.

    Raises:
        StartError: Redis answers with a refusal, or is none that we can use.
    """
    if not settings.PARLEY_REDIS_URL:
        return
    try:
        information = _redis_information()
        if refused := _unfit_redis(information):
            raise StartError(refused)
        with closing(_redis_client()) as client:
            client.ping()
    except AuthenticationError as error:
        raise _refused_by_redis(error) from error
    except (RedisConnectionError, RedisTimeoutError, OSError):
        yield (
            "REDIS_URL: Redis does not answer; until it does, pages are slower and"
            " nobody signs in."
        )
    except RedisError as error:
        raise _refused_by_redis(error) from error
    else:
        policy = str(information.get("maxmemory_policy", _KEEPS_ALL))
        if policy != _KEEPS_ALL:
            yield (
                "REDIS_URL: Redis may forget counters of limits when it is full, so that"
                f" limits begin anew: its maxmemory-policy is {policy}; with {_KEEPS_ALL}"
                " it forgets none."
            )


def _redis_client() -> Redis:
    return Redis.from_url(
        settings.PARLEY_REDIS_URL,
        socket_timeout=_REDIS_PATIENCE_SECONDS,
        socket_connect_timeout=_REDIS_PATIENCE_SECONDS,
    )


def _redis_information() -> Mapping[str, object]:
    """What Redis tells of itself by INFO; nothing if it does not allow that.

    Hosted ones often forbid CONFIG, and seldom INFO.
    """
    with closing(_redis_client()) as client:
        # Neither a Cluster nor a Sentinel has another one: asking for it would fail first.
        client.connection_pool.connection_kwargs["db"] = 0
        try:
            return client.info()
        except ResponseError:
            return {}


def _unfit_redis(information: Mapping[str, object]) -> str | None:
    """Why a Redis that answers cannot be used, if so."""
    match information:
        case {"redis_mode": "sentinel"}:
            return (
                "REDIS_URL: this is a sentinel, which stores nothing: name the server, or"
                " an address that follows its failover."
            )
        case {"redis_mode": "cluster"} | {"cluster_enabled": 1}:
            return (
                "REDIS_URL: this is a node of a cluster, which has only a part of the"
                " keys: name a Redis that stands alone."
            )
        case _:
            return None


def _is_of_parley() -> bool:
    return "messaging_installation" in connection.introspection.table_names()


def _unknown_settings() -> Sequence[str]:
    warnings: tuple[str, ...] = settings.PARLEY_UNKNOWN_SETTINGS
    return warnings


def _unlikely_settings() -> Iterator[str]:
    if settings.SECURE_PROXY_SSL_HEADER and not settings.PARLEY_TRUSTED_PROXIES:
        yield (
            "PARLEY_HTTPS is on and PARLEY_TRUSTED_PROXIES is 0: limits take everybody"
            " behind the proxy for one address."
        )


def _kept_secrets() -> Iterator[Path]:
    for name in _PRIVATE:
        yield settings.DATA_DIR / name
    yield from settings.DATA_DIR.glob("metrics-[0-9]*")


def _text_unless_refused(error: Error, database: BaseDatabaseWrapper) -> str:
    """What is said of a database that is away while a worker starts.

    It is a warning: granian gives up if a restarted worker dies at once, so that one
    crash during an outage of PostgreSQL would end the whole server.

    Raises:
        StartError: it answers, and refuses.
    """
    text = _error_text(error, database)
    refuses = isinstance(error, UndeclaredPoolerError) or _is_refused(text)
    if database.vendor == "sqlite" or refuses:
        raise StartError(text) from error
    return text


def _error_text(error: Error, database: BaseDatabaseWrapper) -> str:
    """The database's error message, on one line and without the password."""
    text = one_line(str(error)).rstrip(".?")
    password = str(database.settings_dict["PASSWORD"] or "")
    if password:
        text = text.replace(password, "…")
    is_past_pooler = settings.PARLEY_DATABASE_POOLER and not is_declared(database)
    name = DIRECT if is_past_pooler else "DATABASE_URL"
    return f"{name}: the database cannot be used: {text}."


def _is_refused(text: str) -> bool:
    return _REFUSED in text and not any(soon in text for soon in _SOON)


def _refused_by_redis(error: Exception) -> StartError:
    return StartError(f"REDIS_URL: Redis says no: {type(error).__name__}.")
