"""The settings of this server as they are in force, for its administrators; no secrets.

What is shown is named here one by one, so that a new setting is not shown by accident.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connection

from messaging.access import Superuser
from messaging.rates import Rate

# By heading: variables, whose settings in Django have the same name.
_SHOWN: Final = (
    (
        "People",
        (
            "PARLEY_REGISTRATION",
            "PARLEY_WHO_MAY_ADD",
            "PARLEY_MAX_PARTICIPANTS",
            "PARLEY_MAX_TOKENS",
            "PARLEY_MAX_SESSIONS",
            "PARLEY_MAX_BLOCKS",
        ),
    ),
    (
        "Limits",
        (
            "PARLEY_RATE_LIMITS",
            "PARLEY_LIMIT_SIGN_IN",
            "PARLEY_LIMIT_SIGN_IN_ADDRESS",
            "PARLEY_LIMIT_PASSWORDS",
            "PARLEY_LIMIT_PASSWORDS_ADDRESS",
            "PARLEY_LIMIT_REGISTRATIONS",
            "PARLEY_LIMIT_BAD_TOKENS",
            "PARLEY_LIMIT_WRITES",
            "PARLEY_LIMIT_READS",
            "PARLEY_LIMIT_KEYS",
            "PARLEY_LIMIT_FAN_OUT",
            "PARLEY_LIMIT_EXPORTS",
            "PARLEY_LIMIT_RENAMES",
            "PARLEY_LIMIT_GROUPS",
            "PARLEY_LIMIT_ADDITIONS",
            "PARLEY_LIMIT_FIRST_CONTACTS",
            "PARLEY_LIMIT_MINTED_TOKENS",
        ),
    ),
    (
        "Server",
        (
            "PARLEY_READ_THREADS",
            "PARLEY_WRITE_THREADS",
            "PARLEY_MAX_WAITING",
            "PARLEY_MAX_WAITING_SECONDS",
            "PARLEY_BODY_SECONDS",
            "PARLEY_SEND_SECONDS",
            "PARLEY_SEND_RATE",
            "PARLEY_MAX_STREAMS",
            "PARLEY_MAX_STREAMS_PER_USER",
            "PARLEY_EVENT_RETENTION_DAYS",
            "PARLEY_TRUSTED_PROXIES",
            "PARLEY_LOG_DETAILS",
            "PARLEY_DATABASE_POOLER",
            "PARLEY_PARTITIONS",
        ),
    ),
)
_UNITS: Final = ((24 * 3600, "d"), (3600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """A heading, and each variable below it with its value."""

    heading: str
    values: Sequence[tuple[str, str]]


def settings_in_force(*, superuser: Superuser) -> Sequence[SettingGroup]:
    groups = [
        SettingGroup(
            heading, [(name, _written(getattr(settings, name))) for name in names]
        )
        for heading, names in _SHOWN
    ]
    return [*groups, SettingGroup("This installation", _installation())]


def _installation() -> Sequence[tuple[str, str]]:
    """What is said of settings that hold secrets is only that there are such."""
    return (
        ("Version", settings.PARLEY_VERSION),
        ("Database", connection.vendor.replace("sqlite", "SQLite")),
        ("PARLEY_DEBUG", _written(settings.DEBUG)),
        ("PARLEY_HTTPS", _written(settings.SESSION_COOKIE_SECURE)),
        ("PARLEY_ALLOWED_HOSTS", ", ".join(settings.ALLOWED_HOSTS)),
        ("PARLEY_CSRF_TRUSTED_ORIGINS", ", ".join(settings.CSRF_TRUSTED_ORIGINS)),
        ("PARLEY_MAX_BODY_BYTES", str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)),
        ("PARLEY_DATA_DIR", str(settings.DATA_DIR)),
        (
            "PARLEY_DIRECT_DATABASE_URL",
            "set" if settings.PARLEY_DIRECT_DATABASE else "",
        ),
        ("REDIS_URL", "set" if settings.PARLEY_REDIS_URL else ""),
        ("PARLEY_METRICS_TOKEN", "set" if settings.PARLEY_METRICS_TOKEN else ""),
    )


def _written(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case Rate():
            return _written_rate(value)
        case _:
            return str(value)


def _written_rate(rate: Rate) -> str:
    """As it is set: 10/15m."""
    seconds, unit = next(each for each in _UNITS if rate.seconds % each[0] == 0)
    number = rate.seconds // seconds
    return f"{rate.quota}/{'' if number == 1 else number}{unit}"
