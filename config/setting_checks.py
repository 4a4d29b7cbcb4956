"""Checks the values of settings, beyond their types."""

import os
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from redis import ConnectionPool, RedisError

from config.databases import is_postgres
from config.startup_errors import StartError, variable

if TYPE_CHECKING:
    from config.variables import Environment

_KEY_LENGTH: Final = 32
_KEY_VARIETY: Final = 8
_TOKEN_LENGTH: Final = 16
_NAME: Final = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII | re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\[[0-9a-f:.]+\]", re.ASCII | re.IGNORECASE)
_ORIGIN: Final = re.compile(r"https?://(\*\.)?[^/*?#@\s]+", re.ASCII | re.IGNORECASE)
# Variables that Kubernetes sets for a service called parley.
_OF_KUBERNETES: Final = re.compile(r"PARLEY_(SERVICE_(HOST|PORT)|PORT)(_.*)?")


def require_valid(env: "Environment") -> None:
    """Refuse to start with settings that are invalid or unsafe.

    Raises:
        StartError: names all of them.
    """
    faults = (
        *_key_faults(env),
        *_host_faults(env.allowed_hosts),
        *_origin_faults(env.csrf_trusted_origins),
        *_redis_faults(env.redis_url),
        *_folder_faults(env),
        *_combination_faults(env),
    )
    if faults:
        raise StartError(*faults)


def require_strong(key: str, *, name: str) -> None:
    """Refuse a secret key that can be guessed.

    Raises:
        StartError
    """
    if _is_weak(key):
        raise StartError(_weak(name))


def unknown_settings(
    environ: Iterable[str], model: "type[Environment]"
) -> Iterator[tuple[str, str | None]]:
    """`PARLEY_` variables that are not settings, each with a setting of similar name, if any."""
    known = {variable(model, field) for field in model.model_fields}
    for name in sorted({name.upper() for name in environ}):
        is_ours = name.startswith("PARLEY_") and not _OF_KUBERNETES.fullmatch(name)
        if is_ours and name not in known:
            nearest = get_close_matches(name, known, n=1, cutoff=0.85)
            yield name, next(iter(nearest), None)


def made_folder(path: Path) -> None:
    """Create a folder that only its owner may read, unless it exists.

    Raises:
        StartError: the folder cannot be created.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StartError(
            f"PARLEY_DATA_DIR has to be a folder, and {path} is none."
        ) from error
    except OSError as error:
        raise StartError(
            f"PARLEY_DATA_DIR: cannot make {path}: {error.strerror}."
        ) from error


def _is_weak(key: str) -> bool:
    # Whoever guesses the key can sign session cookies.
    return len(key) < _KEY_LENGTH or len(set(key)) < _KEY_VARIETY


def _weak(name: str) -> str:
    return (
        f"{name} takes keys that cannot be guessed: {_KEY_LENGTH} characters or more,"
        f" {_KEY_VARIETY} of them different."
    )


def _key_faults(env: "Environment") -> Iterator[str]:
    if env.secret_key and _is_weak(env.secret_key):
        yield _weak("PARLEY_SECRET_KEY")
    if any(_is_weak(key) for key in env.secret_key_fallbacks):
        yield _weak("PARLEY_SECRET_KEY_FALLBACKS")
    token = env.metrics_token
    if token and (
        len(token) < _TOKEN_LENGTH or not token.isascii() or token != token.strip()
    ):
        yield f"PARLEY_METRICS_TOKEN takes {_TOKEN_LENGTH} ASCII characters or more."


def _host_faults(hosts: Iterable[str]) -> Iterator[str]:
    hosts = list(hosts)
    if not hosts:
        yield "PARLEY_ALLOWED_HOSTS names no host: nobody would be answered."
    if not all(
        host == "*" or _NAME.fullmatch(host) or _ADDRESS.fullmatch(host)
        for host in hosts
    ):
        yield (
            "PARLEY_ALLOWED_HOSTS takes host names in ASCII, without scheme, port or"
            " path, and IPv6 addresses in brackets."
        )


def _origin_faults(origins: Iterable[str]) -> Iterator[str]:
    if not all(_ORIGIN.fullmatch(origin) and _has_port(origin) for origin in origins):
        yield (
            "PARLEY_CSRF_TRUSTED_ORIGINS takes origins with their scheme and without a"
            " path, such as https://chat.example.org."
        )


def _has_port(url: str) -> bool:
    """Whether a URL has a valid port, or none."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _redis_faults(url: str) -> Iterator[str]:
    """Faults that redis-py would not report: it takes a database that is no number for 0."""
    if not url:
        return
    if _names_several(url):
        yield (
            "REDIS_URL names one Redis server: no Sentinel, no Cluster, no list of hosts;"
            " name a server, or an address that follows its failover."
        )
        return
    try:
        parts = urlsplit(url)
        whole = parts.port != 0 and (parts.scheme == "unix" or bool(parts.hostname))
    except ValueError:
        whole = False
        parts = urlsplit("")
    numbered = parts.scheme == "unix" or re.fullmatch(r"/?|/\d{1,5}", parts.path)
    if (
        parts.scheme not in {"redis", "rediss", "unix"}
        or not whole
        or not numbered
        or parts.fragment
        or not _is_taken_by_redis(url)
    ):
        yield (
            "REDIS_URL takes redis://host:6379/0, rediss://… (over TLS) or"
            " unix:///path; what is special in a password is percent-encoded."
        )


def _names_several(url: str) -> bool:
    """Whether it is an address of a Sentinel or a Cluster, in any of the usual forms."""
    scheme, _, rest = url.partition("://")
    hosts = re.split(r"[/?#]", rest)[0].rpartition("@")[2]
    return "," in hosts or any(word in scheme for word in ("sentinel", "cluster"))


def _is_taken_by_redis(url: str) -> bool:
    """Whether redis-py knows all options after the `?`. It does not connect."""
    try:
        ConnectionPool.from_url(url).make_connection()
    except (ValueError, TypeError, AttributeError, RedisError):
        return False
    return True


def _folder_faults(env: "Environment") -> Iterator[str]:
    counted = env.metrics_dir
    if counted and not (Path(counted).is_dir() and os.access(counted, os.W_OK)):
        yield "PROMETHEUS_MULTIPROC_DIR takes a folder that is there, to write to."


def _combination_faults(env: "Environment") -> Iterator[str]:
    if env.debug and env.https:
        yield (
            "PARLEY_DEBUG shows everybody what the server holds: it cannot be on"
            " together with PARLEY_HTTPS."
        )
    if env.partitions and not is_postgres(env.database_url):
        yield "PARLEY_PARTITIONS is for PostgreSQL, not for SQLite."
    yield from _pooler_faults(env)


def _pooler_faults(env: "Environment") -> Iterator[str]:
    direct = env.direct_database_url
    if direct and not env.database_pooler:
        yield (
            "PARLEY_DIRECT_DATABASE_URL leads past a pooler: it is only for"
            " PARLEY_DATABASE_POOLER=on."
        )
    if env.database_pooler and not (direct or env.redis_url):
        yield (
            "PARLEY_DATABASE_POOLER needs PARLEY_DIRECT_DATABASE_URL or REDIS_URL: through"
            " a pooler, PostgreSQL cannot tell processes of new events."
        )
