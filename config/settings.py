"""Django's settings and Parley's own, made of what `config/variables.py` reads once."""

import secrets
import sys
from pathlib import Path
from typing import Literal

import django_stubs_ext

from config.databases import database_settings, direct_database_settings
from config.secret_key import secret_key_of
from config.setting_checks import made_folder
from config.startup_errors import reporting_start_errors
from config.variables import (
    CHECKOUT,
    Registration,
    WhoMayAdd,
    misspelt_variables,
    read_environment,
)

django_stubs_ext.monkeypatch()

BASE_DIR: Path = CHECKOUT

with reporting_start_errors():
    PARLEY_UNKNOWN_SETTINGS = tuple(misspelt_variables())
    env = read_environment()
    if not env.database_url:
        made_folder(env.data_dir)
    SECRET_KEY = secret_key_of(env)
    _DATABASE = database_settings(
        env.database_url or f"sqlite:///{env.data_dir / 'parley.sqlite3'}",
        pooled=env.database_pooler,
    )
    # What a pooler stands before, if it can be reached otherwise.
    PARLEY_DIRECT_DATABASE = direct_database_settings(env.direct_database_url)

DEBUG = env.debug
# Rotated keys: they verify old signatures, but sign nothing new.
SECRET_KEY_FALLBACKS = list(env.secret_key_fallbacks)
ALLOWED_HOSTS = list(env.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(env.csrf_trusted_origins)
CSRF_FAILURE_VIEW = "chats.error_pages.csrf_failure"

# The API document shows this version.
PARLEY_VERSION = "0.1.0"
# Part of every cached page's key. Under DEBUG it changes with each start, since
# templates may have changed.
PARLEY_BUILD = f"{PARLEY_VERSION}+{secrets.token_hex(4)}" if DEBUG else PARLEY_VERSION

DATA_DIR = env.data_dir
PARLEY_MAX_PARTICIPANTS = env.max_participants
PARLEY_READ_THREADS = env.read_threads
PARLEY_WRITE_THREADS = env.write_threads
PARLEY_MAX_WAITING = env.max_waiting
PARLEY_MAX_WAITING_SECONDS = env.max_waiting_seconds
PARLEY_BODY_SECONDS = env.body_seconds
PARLEY_SEND_SECONDS = env.send_seconds
PARLEY_SEND_RATE = env.send_rate
PARLEY_MAX_TOKENS = env.max_tokens
PARLEY_MAX_SESSIONS = env.max_sessions
PARLEY_MAX_BLOCKS = env.max_blocks
PARLEY_WHO_MAY_ADD: WhoMayAdd = env.who_may_add
PARLEY_TRUSTED_PROXIES = env.trusted_proxies
PARLEY_EVENT_RETENTION_DAYS = env.event_retention_days
PARLEY_MAX_STREAMS = env.max_streams
PARLEY_MAX_STREAMS_PER_USER = env.max_streams_per_user
PARLEY_DATABASE_POOLER = env.database_pooler
PARLEY_PARTITIONS = env.partitions
PARLEY_REDIS_URL = env.redis_url
PARLEY_REGISTRATION: Registration = env.registration
PARLEY_RATE_LIMITS = env.rate_limits
PARLEY_LIMIT_SIGN_IN = env.limit_sign_in
PARLEY_LIMIT_SIGN_IN_ADDRESS = env.limit_sign_in_address
PARLEY_LIMIT_PASSWORDS = env.limit_passwords
PARLEY_LIMIT_PASSWORDS_ADDRESS = env.limit_passwords_address
PARLEY_LIMIT_REGISTRATIONS = env.limit_registrations
PARLEY_LIMIT_BAD_TOKENS = env.limit_bad_tokens
PARLEY_LIMIT_WRITES = env.limit_writes
PARLEY_LIMIT_READS = env.limit_reads
PARLEY_LIMIT_KEYS = env.limit_keys
PARLEY_LIMIT_FAN_OUT = env.limit_fan_out
PARLEY_LIMIT_EXPORTS = env.limit_exports
PARLEY_LIMIT_RENAMES = env.limit_renames
PARLEY_LIMIT_GROUPS = env.limit_groups
PARLEY_LIMIT_ADDITIONS = env.limit_additions
PARLEY_LIMIT_FIRST_CONTACTS = env.limit_first_contacts
PARLEY_LIMIT_MINTED_TOKENS = env.limit_minted_tokens

# The store in which all processes count limits together.
_Shared = Literal["cache", "database"]
PARLEY_SHARED_LIMITS: _Shared = "cache" if env.redis_url else "database"
PARLEY_LOG_DETAILS = env.log_details
PARLEY_METRICS_TOKEN = env.metrics_token
PARLEY_METRICS_DIR = env.metrics_dir

INSTALLED_APPS = [
    "messaging.administration.site.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    # Before ninja, whose template of the API's docs it replaces.
    "edge",
    "ninja",
    "chats",
    "messaging",
    *(["config.postgresql.partitions"] if env.partitions else []),
]

MIDDLEWARE = [
    "edge.middleware.RequestIdMiddleware",
    "edge.middleware.AccessMiddleware",
    # Outside of the middleware below, which may replace a response: it compresses the
    # final one.
    "edge.compression.CompressionMiddleware",
    "edge.middleware.PrivateMiddleware",
    "edge.middleware.ProblemMiddleware",
    # Outside of middleware that answers by itself, so that static files and refused
    # hosts get these headers, too.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "edge.content_security.ContentSecurityPolicyMiddleware",
    "edge.middleware.RefusalMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "edge.browsers.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "edge.browsers.AuthenticationMiddleware",
    "edge.browsers.MessageMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = env.max_body_bytes

TEMPLATES = [
    # The pages.
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "chats" / "templates"],
        "OPTIONS": {
            "environment": "chats.templating.environment.environment",
            "context_processors": ["chats.templating.context.page_context"],
        },
    },
    # The admin, the API's docs, and widgets of forms.
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": _DATABASE}

# The channel by which processes wake each other.
_Wakeups = Literal["sqlite", "postgres", "redis"]
PARLEY_WAKEUPS: _Wakeups
if DATABASES["default"]["ENGINE"] == "config.sqlite":
    PARLEY_WAKEUPS = "sqlite"
else:
    PARLEY_WAKEUPS = "redis" if env.redis_url else "postgres"

# Only conversation pages are cached here, for a minute: two entries per page, of 256 KiB
# at most, and of a web page what that is when compressed.
_LOCAL_CACHE = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "unique-snowflake",
    "OPTIONS": {"MAX_ENTRIES": 1000},
}
# Short timeouts: a Redis that hangs counts as down.
_REDIS_OPTIONS = {"socket_timeout": 1, "socket_connect_timeout": 1}
_REDIS_CACHE = {
    "BACKEND": "edge.redis_cache.FailSoftRedisCache",
    "LOCATION": env.redis_url,
    "OPTIONS": _REDIS_OPTIONS,
}
# Counters of limits have a cache of their own, so that pages cannot evict them.
_LOCAL_COUNTERS = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "limits",
    "OPTIONS": {"MAX_ENTRIES": 100_000},
}
_REDIS_COUNTERS = {
    "BACKEND": "edge.redis_cache.CircuitBreakingRedisCache",
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
# The seconds for which the link of a demo signs in (messaging/demo/links.py).
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
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
# Only pages of this origin load them; a header less in each of a page's thirty files.
WHITENOISE_ALLOW_ALL_ORIGINS = False

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = env.https
# With the prefix `__Host-`, browsers accept the cookie from this host alone, and not
# from a sibling domain.
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
        "request": {"()": "edge.logs.RequestFilter", "details": env.log_details}
    },
    "formatters": {
        "line": {"()": "edge.logs.LineFormatter", "details": env.log_details},
        "json": {"()": "edge.logs.JsonFormatter", "details": env.log_details},
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
        # No handlers of Django's own, which do not know what is private. Never DEBUG,
        # at which Django quotes the values of SQL statements.
        "django": {"handlers": [], "level": "INFO"},
        # A refusal is a normal answer; failures are logged as errors.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},
        # The development server's log: our access log has the same, without query
        # strings.
        "django.server": {"handlers": [], "level": "CRITICAL", "propagate": True},
    },
}
