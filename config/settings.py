"""Settings, read once from the environment.

This is the only module that reads environment variables; README.md lists them
in one table.
"""

import os
import secrets
import sys
from pathlib import Path
from typing import Annotated, Literal

import dj_database_url
import django_stubs_ext
from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from messaging.rates import Rate

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent


def _rate(value: object) -> object:
    return Rate.parse(value) if isinstance(value, str) else value


Registration = Literal["open", "invite", "closed"]
WrittenRate = Annotated[Rate, NoDecode, BeforeValidator(_rate)]


class Environment(BaseSettings):
    """What an operator may set. Unset and empty mean the default."""

    model_config = SettingsConfigDict(
        env_prefix="PARLEY_", env_ignore_empty=True, frozen=True
    )

    debug: bool = False
    secret_key: str = ""
    secret_key_fallbacks: Annotated[tuple[str, ...], NoDecode] = ()
    data_dir: Path = BASE_DIR / "var"
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = (
        "localhost",
        "127.0.0.1",
        "[::1]",
    )
    csrf_trusted_origins: Annotated[tuple[str, ...], NoDecode] = ()
    https: bool = False
    log_level: str = "INFO"
    log_format: Literal["json", "line"] | None = None
    log_details: bool = False
    metrics_token: str = ""
    max_participants: PositiveInt = 1000
    max_body_bytes: PositiveInt = 256 * 1024
    trusted_proxies: NonNegativeInt = 0
    registration: Registration = "open"
    event_retention_days: PositiveInt = 7
    max_streams: PositiveInt = 10_000
    max_streams_per_user: PositiveInt = 20
    rate_limits: bool = True
    limit_sign_in: WrittenRate = Rate(10, 15 * 60)
    limit_sign_in_address: WrittenRate = Rate(100, 15 * 60)
    limit_registrations: WrittenRate = Rate(100, 3600)
    limit_bad_tokens: WrittenRate = Rate(100, 15 * 60)
    limit_writes: WrittenRate = Rate(6000, 60)
    limit_reads: WrittenRate = Rate(20000, 60)
    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    redis_url: str = Field(default="", validation_alias="REDIS_URL")
    # Also read by prometheus_client itself, which takes it from nowhere else.
    metrics_dir: str = Field(default="", validation_alias="PROMETHEUS_MULTIPROC_DIR")

    @field_validator(
        "allowed_hosts", "csrf_trusted_origins", "secret_key_fallbacks", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value


def _kept_secret_key(path: Path) -> str:
    """Read the secret key of this installation, making one the first time.

    Several processes may start at once: a complete file is linked into place,
    so that all of them read the one that came first.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


env = Environment()

DEBUG = env.debug
SECRET_KEY = env.secret_key or _kept_secret_key(env.data_dir / "secret-key")
# Rotated keys, with which nothing is signed any more.
SECRET_KEY_FALLBACKS = list(env.secret_key_fallbacks)
ALLOWED_HOSTS = list(env.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(env.csrf_trusted_origins)

# Named by the API document and by every cached page.
PARLEY_VERSION = "0.1.0"

DATA_DIR = env.data_dir
PARLEY_MAX_PARTICIPANTS = env.max_participants
PARLEY_TRUSTED_PROXIES = env.trusted_proxies
PARLEY_EVENT_RETENTION_DAYS = env.event_retention_days
PARLEY_MAX_STREAMS = env.max_streams
PARLEY_MAX_STREAMS_PER_USER = env.max_streams_per_user
PARLEY_REDIS_URL = env.redis_url
PARLEY_REGISTRATION: Registration = env.registration
PARLEY_RATE_LIMITS = env.rate_limits
PARLEY_LIMIT_SIGN_IN = env.limit_sign_in
PARLEY_LIMIT_SIGN_IN_ADDRESS = env.limit_sign_in_address
PARLEY_LIMIT_REGISTRATIONS = env.limit_registrations
PARLEY_LIMIT_BAD_TOKENS = env.limit_bad_tokens
PARLEY_LIMIT_WRITES = env.limit_writes
PARLEY_LIMIT_READS = env.limit_reads

# Where what must hold over all processes is counted.
_Shared = Literal["cache", "database"]
PARLEY_SHARED_LIMITS: _Shared = "cache" if env.redis_url else "database"
PARLEY_LOG_DETAILS = env.log_details
PARLEY_METRICS_TOKEN = env.metrics_token
PARLEY_METRICS_DIR = env.metrics_dir

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
    "chats",
    "messaging",
]

MIDDLEWARE = [
    "api.middleware.RequestIdMiddleware",
    "api.middleware.AccessMiddleware",
    # Around those that may answer otherwise than what they were given.
    "chats.middleware.CompressionMiddleware",
    "api.middleware.PrivateMiddleware",
    "api.middleware.ProblemMiddleware",
    # Before what answers by itself: static files, and hosts that are not ours.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "chats.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "api.browsers.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "api.browsers.AuthenticationMiddleware",
    "api.browsers.MessageMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = env.max_body_bytes

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chats.navigation.around",
            ],
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        env.database_url or f"sqlite:///{env.data_dir / 'parley.sqlite3'}",
        conn_max_age=None,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Writers take turns: SQLite's own waiting can starve one of them.
    DATABASES["default"]["ENGINE"] = "config.sqlite"
    # As for Django's own; pytest-xdist would name files for another one's.
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
    # IMMEDIATE takes the write lock at the start of a transaction, so that
    # read-then-write never fails with "database is locked"; FULL loses no
    # acknowledged write when the power goes.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {
        # One hung transaction must not hold up every writer: all tick one clock.
        "options": "-c idle_in_transaction_session_timeout=60s -c lock_timeout=20s",
        # The same few statements over and over: PostgreSQL plans each of them once
        # for a connection, a fifth of what a page costs.
        "server_side_binding": True,
        "prepare_threshold": 5,
    }

# By what processes tell each other of new events.
_Wakeups = Literal["sqlite", "postgres", "redis"]
PARLEY_WAKEUPS: _Wakeups
if DATABASES["default"]["ENGINE"] == "config.sqlite":
    PARLEY_WAKEUPS = "sqlite"
else:
    PARLEY_WAKEUPS = "redis" if env.redis_url else "postgres"

# The conversation page is the only tenant: two entries a page, of 256 KiB at most,
# that live for a minute.
_LOCAL_CACHE = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "unique-snowflake",
    "OPTIONS": {"MAX_ENTRIES": 1000},
}
# A Redis that hangs is down, too.
_REDIS_OPTIONS = {"socket_timeout": 1, "socket_connect_timeout": 1}
_REDIS_CACHE = {
    "BACKEND": "config.cache.ForgivingRedisCache",
    "LOCATION": env.redis_url,
    "OPTIONS": _REDIS_OPTIONS,
}
# Counters of limits, which pages must not push out.
_LOCAL_COUNTERS = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "limits",
    "OPTIONS": {"MAX_ENTRIES": 100_000},
}
_REDIS_COUNTERS = {
    "BACKEND": "config.cache.RestingRedisCache",
    "LOCATION": env.redis_url,
    "KEY_PREFIX": "limits",
    "OPTIONS": _REDIS_OPTIONS,
}
CACHES = {
    "default": _REDIS_CACHE if env.redis_url else _LOCAL_CACHE,
    "limits": _REDIS_COUNTERS if env.redis_url else _LOCAL_COUNTERS,
}

AUTH_USER_MODEL = "messaging.User"
SESSION_ENGINE = "messaging.sessions"
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = env.https
# A browser takes a name of this kind from this host alone, never from one beside it.
SESSION_COOKIE_NAME = "__Host-sessionid" if env.https else "sessionid"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if env.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.https else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
X_FRAME_OPTIONS = "DENY"

_LOG_FORMAT = env.log_format or ("line" if sys.stderr.isatty() else "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request": {"()": "api.logs.RequestFilter", "details": env.log_details}
    },
    "formatters": {
        "line": {"()": "api.logs.LineFormatter", "details": env.log_details},
        "json": {"()": "api.logs.JsonFormatter", "details": env.log_details},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "level": env.log_level,
            "filters": ["request"],
            "formatter": _LOG_FORMAT,
        }
    },
    "root": {"handlers": ["stderr"], "level": env.log_level},
    "loggers": {
        # Without the handlers of its own, which know nothing of what is private;
        # and never at DEBUG, where it quotes the values of statements.
        "django": {"handlers": [], "level": "INFO"},
        # A refusal is an answer, not an event; failures are logged as errors.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},
        # Of the development server: the access log says it without query strings.
        "django.server": {"handlers": [], "level": "CRITICAL", "propagate": True},
    },
}
