"""Requests that nobody should send, made from the OpenAPI document."""

import base64
import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import orjson

from tests.api_client import API, Answer, ApiClient, Json, JsonValue
from tests.contract.document import Operation, Schema, resolved
from tests.contract.sample_data import SampleData

JSON_TYPE: Final = "application/json"

_CURSORS: Final = frozenset({"cursor", "after", "up_to"})
_MAX_ID: Final = 2**63 - 1

# As they stand in a JSON body.
_VALUES: Final = {
    "NUL": r'"a\u0000b"',
    "lone high surrogate": r'"\ud800"',
    "lone low surrogate": r'"a\udc00b"',
    "5,001 characters": f'"{"x" * 5001}"',
    "blank": r'" \t\n "',
    "empty": '""',
    "number as text": '"1"',
    "2^63": f"{2**63}",
    "-2^63 - 1": f"{-(2**63) - 1}",
    "2^64": f"{2**64}",
    "400 digits": "9" * 400,
    "-1": "-1",
    "0": "0",
    "fraction": "1.5",
    "whole fraction": "1.0",
    "1e400": "1e400",
    "NaN": "NaN",
    "true": "true",
    "null": "null",
    "list": "[]",
    "list of null": "[null]",
    "object": '{"a": 1}',
    "500 levels": "[" * 500 + "]" * 500,
    "bidi override": r'"\u202egnp.exe"',
    "zero width": r'"\u200b\u200d\ufeff"',
}

# As they stand in a path or a query.
_TEXTS: Final = {
    "NUL": "a%00b",
    "lone surrogate": "a%ED%A0%80",
    "not UTF-8": "%ff%fe",
    "5,001 characters": "x" * 5001,
    "blank": "%20%09%0a%20",
    "letters": "x%22'%3B--",
    "2^63": f"{2**63}",
    "-2^63 - 1": f"{-(2**63) - 1}",
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5000,
    "-1": "-1",
    "0": "0",
    "fraction": "1.5",
    "1e400": "1e400",
    "NaN": "NaN",
    "true": "true",
    "null": "null",
    "other digits": "%D9%A1%D9%A2",
    "bidi override": "%E2%80%AE1",
    "zero width": "%E2%80%8B",
    "overlong": "%C0%AE",
    "escaped twice": "%2531",
    "with spaces": "%201%20",
    "signed": "%2B1",
    "underscored": "1_0",
    "hexadecimal": "0x1",
}

# Numbers all the same, spelt as nobody does.
_ODD_NUMBERS: Final = frozenset({"with spaces", "signed", "underscored"})

_BODIES: Final = {
    "missing": b"",
    "blank": b"  \n",
    "not UTF-8": b'{"content": "\xff\xfe"}',
    "UTF-16": '{"content": "a"}'.encode("utf-16"),
    "UTF-8 with a mark": b'\xef\xbb\xbf{"content": "a"}',
    "overlong": b'{"content": "\xc0\x80"}',
    "Latin-1": b'{"content": "\xe9"}',
    "gzip": gzip.compress(b'{"content": "a"}', mtime=0),
    "form": b"content=a",
    "cut short": b'{"content": "a',
    "two values": b"{} {}",
    "NUL": b"\x00",
    "100,000 brackets": b"[" * 100_000,
    "100,000 levels": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "500 levels": b"[" * 500 + b"]" * 500,
    "list": b"[]",
    "text": b'"content"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "3 MB": b'{"content": "' + b"x" * 3_000_000 + b'"}',
}

_CONTENT_TYPES: Final = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/jsonp",
    "application/json-patch+json",
    "nonsense",
    "",
)

# What the server decides, and nobody may send.
_SMUGGLED: Final = (
    *("unknown", "id", "sender", "sender_id", "sequence", "read", "edited"),
    *("timestamp", "is_staff", "is_superuser", "user_id", "__proto__", "conversation"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A request, and the name it has in `ACCEPTED` if it is not to be refused."""

    name: str
    path: str
    body: bytes = b""
    content_type: str = JSON_TYPE
    # Whether the value happens to be a right one is of no interest.
    may_pass: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, client: ApiClient, operation: Operation) -> Answer:
        response = client.client.generic(
            operation.method,
            f"{API}{self.path}",
            self.body,
            content_type=self.content_type,
            headers=dict(self.headers),
        )
        return Answer(response.status_code, dict(response.headers), response.getvalue())


def proper_requests(operation: Operation, sample_data: SampleData) -> list[Case]:
    """What the operation is for: one request for each kind of body it takes."""
    path = _path(operation, sample_data) + _query(operation, sample_data)
    return [
        Case("proper", path, _body(proper))
        for proper in _proper_bodies(operation, sample_data)
    ] or [Case("proper", path)]


def hostile_requests(operation: Operation, sample_data: SampleData) -> Iterator[Case]:
    yield from _hostile_paths(operation, sample_data)
    yield from _hostile_queries(operation, sample_data)
    path = _path(operation, sample_data) + _query(operation, sample_data)
    described = operation.described.body
    for name, body in _BODIES.items():
        if name != "missing" or (described is not None and described.required):
            yield Case(f"body: {name}", path, body, may_pass=described is None)
    for schema, proper in zip(
        operation.bodies, _proper_bodies(operation, sample_data), strict=True
    ):
        for content_type in _CONTENT_TYPES:
            yield Case(f"body: {content_type}", path, _body(proper), content_type)
        for name in _SMUGGLED:
            smuggled = _body(proper, {name: "1"})
            yield Case(f"body: {name} smuggled", path, smuggled)
        yield Case("body: keys twice", path, _twice(proper), may_pass=True)
        for name, body, may_pass in _hostile_bodies(
            operation, schema, proper, sample_data
        ):
            yield Case(name, path, body, may_pass=may_pass)


def cursor_parameter(operation: Operation) -> str | None:
    """The one that says where a list goes on; a stream's answer has no end."""
    names = {one.name for one in operation.parameters("query")} & _CURSORS
    return names.pop() if names and operation.id != "events_stream" else None


def cursor_kinds(
    operations: Iterable[Operation], sample_data: SampleData
) -> dict[str, str]:
    """A genuine cursor of every list, by its operation.

    Raises:
        AssertionError: a list of the sample data has no second page.
    """
    found: dict[str, str] = {}
    for operation in operations:
        if cursor_parameter(operation) is None:
            continue
        [proper] = proper_requests(operation, sample_data)
        joint = "&" if "?" in proper.path else "?"
        path = f"{proper.path}{joint}limit=1"
        found[operation.id] = sample_data.client.get(path).text("next_cursor")
    return found


def foreign_cursors(
    operation: Operation, sample_data: SampleData, genuine: dict[str, str]
) -> Iterator[Case]:
    """Cursors of the other lists, and its own ones spoilt."""
    own = genuine[operation.id]
    for name, cursor in genuine.items():
        if _place(cursor)[0] != _place(own)[0]:
            yield _with_cursor(operation, sample_data, f"of {name}", cursor)
    for name, cursor, may_pass in _spoilt(own):
        yield _with_cursor(operation, sample_data, name, cursor, may_pass=may_pass)


def _with_cursor(
    operation: Operation,
    sample_data: SampleData,
    name: str,
    cursor: str,
    *,
    may_pass: bool = False,
) -> Case:
    parameter = cursor_parameter(operation)
    assert parameter is not None
    query = _query(operation, sample_data, {parameter: quote(cursor)})
    path = _path(operation, sample_data) + query
    return Case(f"cursor: {name}", path, may_pass=may_pass)


def _spoilt(cursor: str) -> Iterator[tuple[str, str, bool]]:
    """Each with its name and whether it may be right by chance."""
    kind, *place = _place(cursor)
    yield "truncated", cursor[:-3], False
    yield "not base64", "*" * 12, False
    yield "padded", f"{cursor}====", True
    yield "random", base64.urlsafe_b64encode(bytes(range(200, 230))).decode(), False
    yield "not JSON", _cursor("hello"), False
    yield "empty list", _cursor("[]"), False
    yield "object", _cursor('{"a": 1}'), False
    yield "kind alone", _cursor(_text([kind])), False
    yield "without kind", _cursor(_text(place)), False
    yield "kind twice", _cursor(_text([kind, kind, *place])), False
    yield "one more", _cursor(_text([kind, *place, 1])), False
    yield "deep", _cursor(f"[{_text(kind)}, {'[' * 300}{']' * 300}]"), False
    for index, value in enumerate(place):
        for name, spoilt in _PLACES.items():
            parts = [_text(part) for part in (kind, *place)]
            parts[index + 1] = spoilt
            may_pass = name == "2^63 - 1" and isinstance(value, int)
            yield f"{name} at {index}", _cursor(f"[{','.join(parts)}]"), may_pass


_PLACES: Final = {
    "2^63 - 1": f"{_MAX_ID}",
    "2^63": f"{2**63}",
    "2^64": f"{2**64}",
    "-1": "-1",
    "fraction": "1.5",
    "1e400": "1e400",
    "NaN": "NaN",
    "true": "true",
    "null": "null",
    "list": "[1]",
    "object": '{"a": 1}',
    "NUL": r'"a\u0000"',
    "lone surrogate": r'"\ud800"',
}


def _place(cursor: str) -> list[JsonValue]:
    padded = cursor + "=" * (-len(cursor) % 4)
    place: list[JsonValue] = orjson.loads(base64.urlsafe_b64decode(padded))
    return place


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _path(
    operation: Operation, sample_data: SampleData, instead: dict[str, str] | None = None
) -> str:
    values = {
        parameter.name: quote(str(sample_data.example(operation.id, parameter.name)))
        for parameter in operation.parameters("path")
    }
    return operation.path.format_map(values | (instead or {}))


def _query(
    operation: Operation, sample_data: SampleData, instead: dict[str, str] | None = None
) -> str:
    values = {
        parameter.name: quote(str(sample_data.example(operation.id, parameter.name)))
        for parameter in operation.parameters("query")
        if parameter.required
    }
    pairs = (values | (instead or {})).items()
    return f"?{'&'.join(f'{name}={value}' for name, value in pairs)}" if pairs else ""


def _hostile_paths(operation: Operation, sample_data: SampleData) -> Iterator[Case]:
    query = _query(operation, sample_data)
    for parameter in operation.parameters("path"):
        for name, text in _TEXTS.items():
            path = _path(operation, sample_data, {parameter.name: text})
            odd = _is_odd_number(parameter.value, name)
            yield Case(f"{parameter.name}: {name}", f"{path}{query}", may_pass=odd)


def _hostile_queries(operation: Operation, sample_data: SampleData) -> Iterator[Case]:
    path = _path(operation, sample_data)
    unknown = _query(operation, sample_data, {"unknown": "1"})
    yield Case("query: unknown", f"{path}{unknown}")
    for parameter in operation.parameters("query"):
        for name, text in {**_TEXTS, "empty": ""}.items():
            if _as_declared(parameter.value, name):
                continue
            query = _query(operation, sample_data, {parameter.name: text})
            odd = _is_odd_number(parameter.value, name)
            yield Case(f"{parameter.name}: {name}", f"{path}{query}", may_pass=odd)
        value = quote(str(sample_data.example(operation.id, parameter.name) or "x"))
        once = _query(operation, sample_data, {parameter.name: value})
        yield Case(f"{parameter.name}: twice", f"{path}{once}&{parameter.name}={value}")


def _proper_bodies(operation: Operation, sample_data: SampleData) -> list[Json]:
    return [_proper(operation, schema, sample_data) for schema in operation.bodies]


def _proper(operation: Operation, schema: Schema, sample_data: SampleData) -> Json:
    """A body with every field."""
    return {
        name: value.const or sample_data.example(operation.id, name)
        for name, value in schema.properties.items()
    }


def _hostile_bodies(
    operation: Operation, schema: Schema, proper: Json, sample_data: SampleData
) -> Iterator[tuple[str, bytes, bool]]:
    for name, value in schema.properties.items():
        yield from _hostile_values(name, value, proper)
        if name in schema.required:
            rest = {key: kept for key, kept in proper.items() if key != name}
            yield f"{name}: missing", _body(rest), False
        genuine = sample_data.example(operation.id, name) if name in _CURSORS else None
        # The last that was seen may be named by a cursor, or by its id.
        if isinstance(genuine, str):
            for case, cursor, may_pass in _spoilt(genuine):
                yield (
                    f"{name}: {case}",
                    _body(proper, {name: _text(cursor)}),
                    may_pass,
                )


def _hostile_values(
    name: str, value: Schema, proper: Json
) -> Iterator[tuple[str, bytes, bool]]:
    item = resolved(value).items
    for case, raw in _VALUES.items():
        if not _as_declared(value, case):
            yield f"{name}: {case}", _body(proper, {name: raw}), False
        if item is not None and not _as_declared(item, case):
            yield f"{name}[]: {case}", _body(proper, {name: f"[{raw}]"}), False


def _as_declared(value: Schema, case: str) -> bool:
    """Whether the document allows it, so that it is not hostile here."""
    kind = resolved(value)
    match case:
        case "null":
            return any(part.type == "null" for part in value.any_of)
        case "number as text":
            return kind.type == "string" and not kind.enum and kind.const is None
        case "0":
            return kind.type == "integer" and kind.minimum == 0
        case "list":
            return kind.type == "array"
        case _:
            return False


def _is_odd_number(value: Schema, case: str) -> bool:
    return resolved(value).type == "integer" and case in _ODD_NUMBERS


def _body(proper: Json, raw: dict[str, str] | None = None) -> bytes:
    """A JSON object, some of its values as they stand."""
    values = {name: _text(value) for name, value in proper.items()} | (raw or {})
    fields = (f"{_text(name)}: {value}" for name, value in values.items())
    return f"{{{', '.join(fields)}}}".encode()


def _twice(proper: Json) -> bytes:
    """Each key with null first: whichever counts, no request may be half of both."""
    first = _body(dict.fromkeys(proper))[:-1]
    return first + b", " + _body(proper)[1:] if proper else b"{}"


def _text(value: JsonValue) -> str:
    return orjson.dumps(value).decode()
