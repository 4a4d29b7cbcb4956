"""The environment variables that an operator may set; README.md lists them in one table.

This is the only module that reads them.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticKnownError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config.setting_checks import require_valid, unknown_settings
from config.startup_errors import StartError, invalid
from messaging.rates import Rate

CHECKOUT: Final = Path(__file__).resolve().parent.parent

_DIGITS: Final = re.compile(r"-?[0-9]+")


def _rate(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return Rate.parse(value)
    except ValueError:
        raise ValueError("a rate such as 10/15m or 100/h") from None


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


# Upper bounds. A larger number is a typing error, or would overflow where it is used.
_MANY: Final = 1_000_000
_GIB: Final = 1024**3
_DAY: Final = 24 * 3600

Count = Annotated[PositiveInt, Field(le=_MANY)]
Threads = Annotated[PositiveInt, Field(le=1000)]
Seconds = Annotated[PositiveInt, Field(le=_DAY)]
Bytes = Annotated[PositiveInt, Field(le=_GIB)]
WhoMayAdd = Literal["everyone", "contacts", "nobody"]
Registration = Literal["open", "invite", "closed"]
WrittenRate = Annotated[Rate, NoDecode, BeforeValidator(_rate)]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
]


class Environment(BaseSettings):
    """The variables that an operator may set. Unset and empty variables have the default."""

    model_config = SettingsConfigDict(
        env_prefix="PARLEY_", env_ignore_empty=True, frozen=True
    )

    debug: bool = False
    secret_key: str = ""
    secret_key_fallbacks: Annotated[tuple[str, ...], NoDecode] = ()
    data_dir: Path = CHECKOUT / "var"
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = (
        "localhost",
        "127.0.0.1",
        "[::1]",
    )
    csrf_trusted_origins: Annotated[tuple[str, ...], NoDecode] = ()
    https: bool = False
    log_level: LogLevel = "INFO"
    log_format: Literal["json", "line"] | None = None
    log_details: bool = False
    metrics_token: str = ""
    # Read by scripts/serve.
    workers: Annotated[int, Field(ge=1, le=999)] = 2
    max_participants: Count = 1000
    max_tokens: Count = 100
    max_sessions: Count = 100
    max_blocks: Count = 10_000
    who_may_add: WhoMayAdd = "everyone"
    max_body_bytes: Bytes = 256 * 1024
    read_threads: Threads = 4
    write_threads: Threads = 4
    max_waiting: Count = 512
    max_waiting_seconds: Seconds = 30
    body_seconds: Seconds = 60
    send_seconds: Seconds = 60
    send_rate: Bytes = 2048
    trusted_proxies: Annotated[NonNegativeInt, Field(le=100)] = 0
    registration: Registration = "open"
    event_retention_days: Annotated[PositiveInt, Field(le=36_500)] = 7
    max_streams: Count = 10_000
    max_streams_per_user: Count = 20
    rate_limits: bool = True
    limit_sign_in: WrittenRate = Rate(10, 15 * 60)
    limit_sign_in_address: WrittenRate = Rate(100, 15 * 60)
    limit_passwords: WrittenRate = Rate(20, 15 * 60)
    limit_passwords_address: WrittenRate = Rate(300, 15 * 60)
    limit_registrations: WrittenRate = Rate(100, 3600)
    limit_bad_tokens: WrittenRate = Rate(100, 15 * 60)
    limit_writes: WrittenRate = Rate(6000, 60)
    limit_reads: WrittenRate = Rate(20000, 60)
    limit_keys: WrittenRate = Rate(100_000, 24 * 3600)
    limit_fan_out: WrittenRate = Rate(200_000, 3600)
    limit_exports: WrittenRate = Rate(20, 3600)
    limit_renames: WrittenRate = Rate(5, 3600)
    limit_groups: WrittenRate = Rate(100, 24 * 3600)
    limit_additions: WrittenRate = Rate(2000, 24 * 3600)
    limit_first_contacts: WrittenRate = Rate(200, 24 * 3600)
    limit_minted_tokens: WrittenRate = Rate(120, 3600)
    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    database_pooler: bool = False
    direct_database_url: str = ""
    # Read when the tables are divided: a later change does nothing.
    partitions: Annotated[int, Field(ge=0, le=256)] = 0
    redis_url: str = Field(default="", validation_alias="REDIS_URL")
    # prometheus_client reads this variable by itself; it takes no argument.
    metrics_dir: str = Field(default="", validation_alias="PROMETHEUS_MULTIPROC_DIR")

    @field_validator("*", mode="before")
    @classmethod
    def _in_plain_digits(cls, value: object, info: ValidationInfo[object]) -> object:
        """Refuse 1_0 and "5 ", which Python reads as numbers and shell scripts do not."""
        is_number = cls.model_fields[str(info.field_name)].annotation is int
        if is_number and isinstance(value, str) and not _DIGITS.fullmatch(value):
            raise PydanticKnownError("int_parsing")
        return value

    @field_validator(
        "allowed_hosts", "csrf_trusted_origins", "secret_key_fallbacks", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value


def read_environment() -> Environment:
    try:
        env = Environment()
    except ValidationError as error:
        raise invalid(error, Environment) from error
    require_valid(env)
    return env


def misspelt_variables() -> Iterator[str]:
    """Warnings about `PARLEY_` variables that are no settings.

    Raises:
        StartError: one resembles a setting. If it were ignored, something might stay
            open that an operator wanted to close.
    """
    for name, meant in unknown_settings(os.environ, Environment):
        if meant is not None:
            raise StartError(f"{name} is no setting; is {meant} meant?")
        yield f"{name} is no setting of this version, and does nothing."
