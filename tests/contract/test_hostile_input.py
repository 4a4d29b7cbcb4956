"""Whatever is sent, to any operation: a declared problem, and nothing is written."""

from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import transaction

from tests.api_client import Answer, ApiClient
from tests.contract.document import Operation, operations
from tests.contract.hostile import (
    Case,
    cursor_kinds,
    cursor_parameter,
    foreign_cursors,
    hostile_requests,
    proper_requests,
)
from tests.contract.hostile_headers import hostile_headers
from tests.contract.sample_data import SampleData, create_sample_data
from tests.tables import all_rows

_UNSEEN: Final = ("bidi override", "zero width")
_OVERRIDE: Final = "bidi override"
_CONTENT: Final = {f"content: {_OVERRIDE}"}

# Odd, but right: a token needs no name, people may be looked for by any text, and
# write what they like; a service knows people by ids of its own.
_SEARCHED: Final = {
    f"query: {name}"
    for name in (
        *("lone surrogate", "not UTF-8", "overlong", "blank", "letters"),
        *("other digits", "escaped twice", "with spaces", "signed", "fraction"),
        *("2^63", "-2^63 - 1", "-1", "0", "1e400", "underscored", "hexadecimal"),
        *("NaN", "true", "null", *_UNSEEN),
    )
}
ACCEPTED: Final = {
    "auth_create_token": {f"name: {name}" for name in ("blank", "empty", "zero width")},
    "auth_register": {"password: bidi override"},
    "me_change_password": {"new_password: bidi override"},
    "me_update": {"shows_presence: true"},
    "messages_edit": _CONTENT,
    "messages_send": _CONTENT,
    "messages_send_direct": _CONTENT,
    "service_create_user": {f"external_id: {_OVERRIDE}"},
    # Null is to leave it out.
    "participants_list": _SEARCHED - {"query: null"},
    "users_search": _SEARCHED,
}

# Nobody's; none of it may be an error of the server.
CREDENTIALS: Final = (
    *("Bearer", "Bearer ", "Bearer x", "Bearer x y", "Basic eDp5"),
    *("", "x" * 5001, f"Bearer {'x' * 5001}", "Bearer \u00e9", "Bearer \x00"),
)

# Headers are read by middleware, by what these share with others, or by them alone.
READ_BY_THEM: Final = frozenset(
    {
        *("auth_create_token", "events_stream", "me_get", "messages_edit"),
        *("messages_list", "messages_send"),
    }
)

# Why a header may be refused; every other one is ignored.
REFUSED_HEADERS: Final = frozenset(
    {"invalid_cursor", "invalid_idempotency_key", "invalid_request", "stale_version"}
)

for_every_operation = pytest.mark.parametrize(
    "operation", operations(), ids=lambda operation: operation.id
)


@pytest.fixture
def sample_data(db: None) -> SampleData:
    return create_sample_data()


def ask(case: Case, operation: Operation, client: ApiClient) -> Answer:
    """What an operation accepts is undone; what it wrote refusing is kept."""
    with transaction.atomic():
        answer = case.send(client, operation)
        if answer.status < 400:
            transaction.set_rollback(True)
    assert answer.status in operation.statuses, (case.name, answer)
    return answer


def refused(case: Case, operation: Operation, client: ApiClient) -> bool:
    answer = ask(case, operation, client)
    if answer.status < 400:
        return False
    assert answer.status < 500, (case.name, answer)
    assert answer.code, case.name
    return True


@for_every_operation
def test_the_generator_reaches_every_operation(
    operation: Operation, sample_data: SampleData
) -> None:
    for case in proper_requests(operation, sample_data):
        answer = ask(case, operation, sample_data.caller(operation.id))
        assert 200 <= answer.status < 300, answer


@pytest.mark.slow(but_one_in=6)
@for_every_operation
def test_hostile_input_is_refused_and_writes_nothing(
    operation: Operation, sample_data: SampleData
) -> None:
    before = all_rows()
    accepted = {
        case.name
        for case in hostile_requests(operation, sample_data)
        if not refused(case, operation, sample_data.caller(operation.id))
        and not case.may_pass
    }
    assert accepted == ACCEPTED.get(operation.id, set())
    assert all_rows() == before


@pytest.mark.parametrize(
    "operation",
    [operation for operation in operations() if cursor_parameter(operation)],
    ids=lambda operation: operation.id,
)
def test_a_list_takes_no_cursor_but_its_own(
    operation: Operation, sample_data: SampleData
) -> None:
    genuine = cursor_kinds(operations(), sample_data)
    before = all_rows()
    accepted = {
        case.name
        for case in foreign_cursors(operation, sample_data, genuine)
        if not refused(case, operation, sample_data.caller(operation.id))
        and not case.may_pass
    }
    assert accepted == set()
    assert all_rows() == before


@pytest.mark.parametrize("place", ["query", "header"])
def test_a_stream_takes_no_cursor_but_a_polls(
    place: str, sample_data: SampleData
) -> None:
    """One of another time opens a stream that begins with `reset`."""
    by_id = {operation.id: operation for operation in operations()}
    poll, stream = by_id["events_poll"], by_id["events_stream"]
    before = all_rows()
    for case in foreign_cursors(
        poll, sample_data, cursor_kinds(operations(), sample_data)
    ):
        answer = ask(_of_stream(case, stream, place), stream, sample_data.client)
        if case.may_pass and answer.status < 400:
            # But for its padding, the padded one is right.
            said = b"event: reset\n" in answer.body
            assert said or case.name == "cursor: padded", answer
        else:
            assert answer.code == "invalid_cursor", (case.name, answer)
            assert f'"source":"{place}"'.encode() in answer.body, (case.name, answer)
    assert all_rows() == before


def test_every_header_that_is_declared_is_tried() -> None:
    declared = {
        operation.id: {parameter.name for parameter in operation.parameters("header")}
        for operation in operations()
    }
    read = set().union(*(declared[operation_id] for operation_id in READ_BY_THEM))
    tried = {name for headers in hostile_headers().values() for name in headers}
    assert set().union(*declared.values()) == read
    assert read <= tried


@pytest.mark.parametrize(
    "operation",
    [operation for operation in operations() if operation.id in READ_BY_THEM],
    ids=lambda operation: operation.id,
)
def test_hostile_headers_are_refused_or_change_nothing(
    operation: Operation, sample_data: SampleData
) -> None:
    before = all_rows()
    client = sample_data.caller(operation.id)
    [proper, *_] = proper_requests(operation, sample_data)
    for name, headers in hostile_headers().items():
        case = replace(proper, name=name, headers=headers)
        answer = ask(case, operation, client)
        assert answer.status < 500, (name, answer)
        if answer.status >= 400:
            assert answer.code in REFUSED_HEADERS, (name, answer)
            assert all_rows() == before, name
    assert all_rows() == before


@for_every_operation
def test_nobody_gets_past_authentication(
    operation: Operation, sample_data: SampleData
) -> None:
    before = all_rows()
    for credentials in CREDENTIALS:
        for case in proper_requests(operation, sample_data):
            client = ApiClient()
            client.client.defaults["HTTP_AUTHORIZATION"] = credentials
            answer = ask(case, operation, client)
            if operation.public:
                assert answer.status < 300
            else:
                assert (answer.status, answer.code) == (401, "not_authenticated")
    assert all_rows() == before


def _of_stream(case: Case, stream: Operation, place: str) -> Case:
    """The same of the stream, which takes a poll's cursor in either place."""
    query = urlsplit(case.path).query
    if place == "query":
        return replace(case, path=f"{stream.path}?{query}")
    [cursor] = parse_qs(query)["after"]
    return replace(case, path=stream.path, headers={"Last-Event-ID": cursor})
