"""What is logged, and how: enough to find a fault, nothing that people wrote.

Records name routes, not paths, and tell of an exception where it happened and of
which type it was, not its text: texts of databases and parsers quote values.
PARLEY_LOG_DETAILS adds both.
"""

import logging
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

import orjson
from django.http import HttpRequest
from typing_extensions import override

# Of the request that is being answered; in every record that this causes.
current_request_id: Final[ContextVar[str | None]] = ContextVar(
    "current_request_id", default=None
)

access_log: Final = logging.getLogger("parley.access")

_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
)


def route_of(request: HttpRequest) -> str:
    """The pattern that the path matched; paths hold ids and names, and have no end."""
    match = request.resolver_match
    return "(none)" if match is None else f"/{match.route}"


def method_of(request: HttpRequest) -> str:
    """The method, of which clients may make up any number."""
    method = request.method or ""
    return method if method in _METHODS else "(other)"


class RequestFilter(logging.Filter):
    """Gives each record its request id, and takes the paths out that Django puts in."""

    def __init__(self, *, details: bool = False) -> None:
        super().__init__()
        self.details = details

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        request: object = getattr(record, "request", None)
        if isinstance(request, HttpRequest) and not self.details:
            record.args = _without_path(record.args, request)
        return True


class LineFormatter(logging.Formatter):
    """A line for people at a terminal."""

    def __init__(self, *, details: bool = False) -> None:
        super().__init__()
        self.details = details

    @override
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{key}={value}" for key, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname} {record.name} {record.getMessage()}"
        parts = [line, fields, _exception(record, details=self.details)]
        return "\n".join(
            part for part in (" ".join(parts[:2]).rstrip(), parts[2]) if part
        )


class JsonFormatter(logging.Formatter):
    """An object a line, for programs."""

    def __init__(self, *, details: bool = False) -> None:
        super().__init__()
        self.details = details

    @override
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if text := _exception(record, details=self.details):
            entry["exception"] = text
        return orjson.dumps(entry, default=str).decode()


def _without_path(
    args: "tuple[object, ...] | Mapping[str, object] | None", request: HttpRequest
) -> "tuple[object, ...] | Mapping[str, object] | None":
    if not isinstance(args, tuple):
        return args
    # Django escapes what it logs.
    escaped = request.path.encode("unicode_escape").decode()
    return tuple(
        route_of(request) if arg in {request.path, escaped} else arg for arg in args
    )


def _fields(record: logging.LogRecord) -> dict[str, object]:
    request_id: object = getattr(record, "request_id", None)
    given: object = getattr(record, "fields", None)
    fields: dict[str, object] = {} if request_id is None else {"request_id": request_id}
    return fields | (given if isinstance(given, dict) else {})


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _exception(record: logging.LogRecord, *, details: bool) -> str:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return ""
    if details:
        return "".join(traceback.format_exception(error)).rstrip()
    return "\n".join(_places(error))


def _places(error: BaseException) -> Iterator[str]:
    """Where an exception, and those before it, were raised; their types, no texts."""
    chain = [error]
    while (before := _led_to(chain[-1])) is not None and before not in chain:
        chain.append(before)
    for link in reversed(chain):
        frames = "".join(traceback.format_tb(link.__traceback__))
        kind = type(link)
        yield f"{frames}{kind.__module__}.{kind.__qualname__}"


def _led_to(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__
