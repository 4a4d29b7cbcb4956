"""Refusals and failures: one shape for all."""

import io
from http import HTTPStatus

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client
from typing_extensions import override

from messaging.models import AccessToken, Block, Installation, Message, User
from tests.api_client import API, ApiClient, Method
from tests.conftest import PASSWORD
from tests.messaging.other_connection import in_thread
from tests.rows import erase

only_postgres = pytest.mark.skipif(
    "sqlite" in settings.DATABASES["default"]["ENGINE"],
    reason="SQLite ends no transaction of itself",
)


def test_a_problem_names_its_code_and_instance(as_ann: ApiClient) -> None:
    answer = as_ann.get("/messages/99")
    assert answer.code == "message_not_found"
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "message_not_found",
        "detail": "There is no such message.",
        "instance": "/api/v1/messages/99",
        "request_id": answer.headers["X-Request-ID"],
        "errors": [],
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_missing_and_forbidden_differ_in_nothing_but_the_request(
    as_cleo: ApiClient, message: Message
) -> None:
    answers = []
    for message_id in (message.pk, 2**62):
        body = as_cleo.get(f"/messages/{message_id}").json
        assert {len(str(body.pop("request_id"))), 32} == {32}
        assert body.pop("instance") == f"{API}/messages/{message_id}"
        answers.append(body)
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/messages/1", {"GET", "PATCH", "DELETE"}),
        ("DELETE", "/inbox", {"GET"}),
        ("GET", "/auth/register", {"POST"}),
    ],
)
def test_a_wrong_method_is_answered_with_the_allowed_ones(
    anonymous: ApiClient, method: Method, path: str, allowed: set[str]
) -> None:
    answer = anonymous.call(method, path)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) >= allowed


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/api/v1/me/", "/%00"])
def test_nothing_at_an_address_is_a_problem(db: None, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", ""])
def test_a_body_of_another_type_is_refused(
    as_ann: ApiClient, bob: User, content_type: str
) -> None:
    body = b'{"receiver": "bob", "content": "x"}'
    answer = as_ann.client.generic("POST", f"{API}/messages", body, content_type)
    assert answer.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    assert answer.json()["code"] == "unsupported_media_type"
    assert not Message.objects.exists()


def test_a_charset_does_not_matter(as_ann: ApiClient, bob: User) -> None:
    body = b'{"receiver": "bob", "content": "x"}'
    kind = "application/json; charset=utf-8"
    answer = as_ann.client.generic("POST", f"{API}/messages", body, kind)
    assert answer.status_code == HTTPStatus.CREATED


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"{'a': 1}", b"[" * 5000])
def test_a_body_that_is_no_json_is_refused(as_ann: ApiClient, body: bytes) -> None:
    answer = as_ann.client.generic("POST", f"{API}/messages", body, "application/json")
    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"
    if body:
        assert answer.json()["code"] == "malformed_body"


def test_a_body_too_large_is_refused(as_ann: ApiClient, bob: User) -> None:
    answer = as_ann.post("/messages", {"receiver": "bob", "content": "x" * 300_000})
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert not Message.objects.exists()


class _BrokenBody(io.BytesIO):
    """What the server reads when the client hangs up in the middle."""

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError


def test_a_body_that_breaks_off_is_refused(as_ann: ApiClient) -> None:
    answer = as_ann.client.request(
        **{
            "REQUEST_METHOD": "POST",
            "PATH_INFO": f"{API}/messages",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": "2",
            "wsgi.input": _BrokenBody(),
        }
    )
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["code"] == "unreadable_body"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/content", "/receiver"]),
        ({"receiver": "bob", "content": 1}, ["/content"]),
        ({"receiver": "b b", "content": "x"}, ["/receiver"]),
        ({"receiver": "bob", "content": "a\x00"}, ["/content"]),
        ({"receiver": "bob", "content": "x", "read~/": 1}, ["/read~0~1"]),
        ({"receiver": "bob", "content": " "}, ["/content"]),
        ({"receiver": "ann", "content": "x"}, ["/receiver"]),
        (
            {"receiver": "bob", "content": "x", "parent_message_id": 99},
            ["/parent_message_id"],
        ),
        ([], [""]),
    ],
)
def test_each_invalid_value_is_pointed_to(
    as_ann: ApiClient, bob: User, body: object, pointers: list[str]
) -> None:
    answer = as_ann.post("/messages", body)
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.code
    errors = [error for error in answer.list("errors") if isinstance(error, dict)]
    assert [error["pointer"] for error in errors] == pointers
    assert {error["source"] for error in errors} == {"body"}
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/inbox?limit=1_0", "Write a number in the digits 0 to 9 alone."),
        ("/inbox?cursor=%00", "NUL characters and lone surrogates cannot be kept."),
    ],
)
def test_the_message_of_a_domain_error_is_the_detail(
    as_ann: ApiClient, path: str, reason: str
) -> None:
    [error] = as_ann.get(path).list("errors")
    assert isinstance(error, dict)
    assert error["detail"] == reason


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("PUT", "/inbox/read", {"up_to": "x"}, "/up_to"),
        (
            "POST",
            "/conversations",
            {"kind": "direct", "participant": "ann"},
            "/participant",
        ),
        (
            "POST",
            "/conversations",
            {"kind": "group", "title": "x", "participants": ["dora"]},
            "/participants",
        ),
        (
            "PUT",
            "/me/password",
            {"current_password": PASSWORD, "new_password": "a1!xyz_"},
            "/new_password",
        ),
        ("PATCH", "/me", {"display_name": " "}, "/display_name"),
    ],
)
def test_a_refused_value_is_pointed_to_by_the_name_it_came_in(
    as_ann: ApiClient, method: Method, path: str, body: object, pointer: str
) -> None:
    answer = as_ann.call(method, path, body)
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY, answer.body
    (error,) = answer.list("errors")
    assert isinstance(error, dict)
    assert (error["source"], error["pointer"]) == ("body", pointer)


def test_an_own_message_is_pointed_to_in_the_path(
    as_ann: ApiClient, message: Message
) -> None:
    for call in (as_ann.put, as_ann.delete):
        answer = call(f"/messages/{message.pk}/read")
        assert (answer.status, answer.code) == (422, "own_message")
        (error,) = answer.list("errors")
        assert isinstance(error, dict)
        assert (error["source"], error["pointer"]) == ("path", "/message_id")


@pytest.mark.parametrize("path", ["/me?x=1", "/inbox?limit=1&limit=1", "/users?q=a"])
def test_unknown_and_repeated_parameters_are_refused(
    as_ann: ApiClient, path: str
) -> None:
    answer = as_ann.get(path)
    assert (answer.status, answer.code) == (422, "invalid_request")


def test_an_internal_error_reveals_no_detail(as_ann: ApiClient) -> None:
    erase(Installation.objects.all())
    answer = as_ann.get("/inbox")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"Installation" not in answer.body
    assert answer.text("request_id") == answer.headers["X-Request-ID"]


@pytest.mark.usefixtures("unreachable_database")
def test_without_its_database_the_api_is_unavailable(anonymous: ApiClient) -> None:
    answer = anonymous.call("GET", "/me", headers={"Authorization": "Bearer x"})
    assert (answer.status, answer.code) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "1"
    page = anonymous.call(
        "GET", "/conversations/1/messages", headers={"Authorization": "Bearer x"}
    )
    assert (page.status, page.code) == (503, "database_unavailable")


def _delete_blocked(sender: object, instance: Block, **_: object) -> None:
    """As somebody else does, where two can write at once."""
    blocked = User.objects.get(pk=instance.blocked_id)
    if connection.vendor == "postgresql":
        in_thread(blocked.delete).join()
    else:
        blocked.delete()


def _spoil(sender: object, instance: AccessToken, **_: object) -> None:
    instance.digest = str(AccessToken.objects.values_list("digest", flat=True).first())


@pytest.mark.django_db(transaction=True)
def test_a_target_deleted_during_a_write_is_missing(
    as_ann: ApiClient, bob: User
) -> None:
    """Of writes, one that no lock of the account stands before."""
    pre_save.connect(_delete_blocked, sender=Block)
    try:
        answer = as_ann.put(f"/blocks/{bob.username}")
    finally:
        pre_save.disconnect(_delete_blocked, sender=Block)
    assert (answer.status, answer.code) == (404, "not_found")
    assert not Block.objects.exists()


def _stand_still(sender: object, instance: Message, **_: object) -> None:
    """In the middle of a transaction, until PostgreSQL has ended it."""
    here = connection.cursor()
    here.execute("SELECT pg_backend_pid()")
    (process,) = here.fetchone()
    here.execute("SET idle_in_transaction_session_timeout = 1")
    with psycopg.connect(**connection.get_connection_params()) as beside:
        running = [process]
        while running:
            found = beside.execute(
                "SELECT pid FROM pg_stat_activity WHERE pid = %s", [process]
            )
            running = found.fetchall()
            beside.rollback()


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_a_write_that_times_out_is_answered_with_retry(
    as_ann: ApiClient, message: Message
) -> None:
    path = f"/conversations/{message.conversation_id}/messages"
    pre_save.connect(_stand_still, sender=Message)
    try:
        answer = as_ann.post(path, {"content": "late"})
    finally:
        pre_save.disconnect(_stand_still, sender=Message)
    assert (answer.status, answer.code) == (503, "database_unavailable")
    connection.close()
    assert as_ann.post(path, {"content": "again"}).status == HTTPStatus.CREATED
    assert not Message.objects.filter(content="late").exists()


@pytest.mark.django_db(transaction=True)
def test_another_broken_constraint_is_a_failure(
    as_ann: ApiClient, anonymous: ApiClient
) -> None:
    pre_save.connect(_spoil, sender=AccessToken)
    try:
        answer = anonymous.post(
            "/auth/tokens", {"username": "ann", "password": PASSWORD}
        )
    finally:
        pre_save.disconnect(_spoil, sender=AccessToken)
    assert (answer.status, answer.code) == (500, "internal_error")
    assert AccessToken.objects.count() == 1


def test_the_admins_pages_are_for_people(db: None) -> None:
    answer = Client().get("/admin/nowhere/")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert len(answer.headers["X-Request-ID"]) == 32


def test_every_request_has_an_id_of_its_own(anonymous: ApiClient) -> None:
    ids = {
        anonymous.call("GET", "/me", headers={"X-Request-ID": "mine"}).headers[
            "X-Request-ID"
        ]
        for _ in range(3)
    }
    assert len(ids) == 3
    assert "mine" not in ids


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/api/v1/docs"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS"])
def test_an_address_takes_its_methods_alone(path: str, method: str, db: None) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_answers_of_the_api_are_for_their_caller_alone(as_ann: ApiClient) -> None:
    for path in ("/me", "/inbox", "/conversations", "/auth/tokens"):
        headers = as_ann.get(path).headers
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["Vary"] == "Authorization, Cookie"
