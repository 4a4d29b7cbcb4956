"""Logging: enough to find a fault, without content or personal data.

Records name routes, not paths. Of an exception they have the type and the place where
it was raised, but not its message: messages of databases and parsers quote values.
PARLEY_LOG_DETAILS adds paths and messages, but never the code of an invitation.
"""

import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

import orjson
from django.http import HttpRequest
from typing_extensions import override

# The id of the current request; `RequestFilter` adds it to every log record.
current_request_id: Final[ContextVar[str | None]] = ContextVar(
    "current_request_id", default=None
)

access_log: Final = logging.getLogger("parley.access")

# Of paths whose next part is a secret: whoever knows the code is let in.
_SECRET: Final = re.compile(r"^(/join/|/api/v1/invitations/)[^/]+")

_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
)


def route_of(request: HttpRequest) -> str:
    """The pattern that the path matched. Paths contain ids and names, and their number is
    unbounded.
    """
    match = request.resolver_match
    return "(none)" if match is None else f"/{match.route}"


def path_of(request: HttpRequest) -> str:
    """The path, without the secret that it may hold."""
    return _SECRET.sub(r"\1…", request.path)


def method_of(request: HttpRequest) -> str:
    """The method, or `(other)`: clients may send any, and labels of metrics must be bounded."""
    method = request.method or ""
    return method if method in _METHODS else "(other)"


class RequestFilter(logging.Filter):
    """Adds the request id to each record, and replaces paths that Django logs by routes."""

    def __init__(self, *, details: bool = False) -> None:
        super().__init__()
        self.details = details

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        request: object = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            shown = path_of(request) if self.details else route_of(request)
            record.args = _with_path(record.args, request, shown)
        return True


class LineFormatter(logging.Formatter):
    """Formats records as lines, for people at a terminal."""

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
    """Formats records as one JSON object per line, for programs."""

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


def _with_path(
    args: "tuple[object, ...] | Mapping[str, object] | None",
    request: HttpRequest,
    shown: str,
) -> "tuple[object, ...] | Mapping[str, object] | None":
    if not isinstance(args, tuple):
        return args
    # Django escapes the path before it logs it.
    escaped = request.path.encode("unicode_escape").decode()
    return tuple(shown if arg in {request.path, escaped} else arg for arg in args)


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
    return "\n".join(_tracebacks(error))


def _tracebacks(error: BaseException) -> Iterator[str]:
    """The types of an exception and its causes, and where they were raised; no messages."""
    chain = [error]
    while (before := _cause_of(chain[-1])) is not None and before not in chain:
        chain.append(before)
    for link in reversed(chain):
        frames = "".join(traceback.format_tb(link.__traceback__))
        kind = type(link)
        yield f"{frames}{kind.__module__}.{kind.__qualname__}"


def _cause_of(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__
