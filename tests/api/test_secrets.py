"""No token, password or content where it does not belong, whatever happens."""

import asyncio
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Final

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from config.urls import urlpatterns as real_urlpatterns
from edge.logs import JsonFormatter
from messaging.models import Message, Session, User
from messaging.services import invites, service_tokens, tokens, users
from messaging.sessions import SessionStore
from tests.api_client import API, ApiClient

PASSWORD: Final = "swordfish-under-the-stairs"
CONTENT: Final = "what-only-bob-may-read"


def fail(request: HttpRequest, name: str) -> HttpResponse:
    raise LookupError(request.body, request.headers, name)


urlpatterns: list[object] = [
    path("fail/<name>", fail),
    path("admin/fail/<name>", fail),
    *real_urlpatterns,
]


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """All that the configured handler writes."""
    [handler] = [
        handler
        for handler in logging.getLogger().handlers
        # pytest adds some of its own kinds.
        if type(handler) is logging.StreamHandler
    ]
    stream, formatter = handler.stream, handler.formatter
    written = StringIO()
    handler.setStream(written)
    handler.setFormatter(JsonFormatter())
    yield written
    handler.setStream(stream)
    handler.setFormatter(formatter)


def dump() -> str:
    """Every value of every table, as it is stored."""
    with connection.cursor() as cursor:
        rows: list[str] = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  # names of our own tables
            rows += (f"{table}: {row!r}" for row in cursor.fetchall())
    return "\n".join(rows)


def test_a_dump_of_the_database_signs_nobody_in(db: None) -> None:
    """Registered, signed in every way there is, invited; messages are content."""
    registered = ApiClient().post(
        "/auth/register", {"username": "ann", "password": PASSWORD}
    )
    credentials = {"username": "ann", "password": PASSWORD}
    signed_in = ApiClient().post("/auth/tokens", credentials)
    brought = users.create_account(username="bob", password=None, display_name=None)
    issued = tokens.issue_token(user=brought, name="phone", expires_in=None)
    service = service_tokens.create_service_token(name="shop")
    invite = invites.create_invite(uses=1, expires_in=None)
    browser = Client()
    browser.post("/sign-in", credentials)
    keyed = ApiClient(issued.secret).call(
        "POST",
        "/messages",
        {"receiver": "ann", "content": CONTENT},
        headers={"Idempotency-Key": "a-key-of-bobs"},
    )
    assert keyed.status == 201
    secrets = [
        *(PASSWORD, registered.text("token"), signed_in.text("token")),
        *(issued.secret, service, invite, browser.cookies["sessionid"].value),
        settings.SECRET_KEY,
    ]
    dumped = dump()
    assert CONTENT in dumped
    assert [secret for secret in secrets if secret in dumped] == []


def test_what_was_deleted_is_in_no_dump(ann: User, bob: User) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content=CONTENT)
    message.content = f"{CONTENT} again"
    message.save()
    reply = Message.objects.create(
        sender=bob, receiver=ann, content="yes", parent_message=message
    )
    secret = tokens.issue_token(user=ann, name="test", expires_in=None).secret
    assert CONTENT in dump()
    assert ApiClient(secret).delete(f"/messages/{message.pk}").status == 204
    assert reply.content in dump()
    assert CONTENT not in dump()


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("prefix", ["", "/admin"])
def test_an_internal_error_reveals_no_secret(
    db: None, logged: StringIO, prefix: str
) -> None:
    """Not in its page, not in the log, not in the metrics."""
    user = User.objects.create_user("ann", PASSWORD)
    token = tokens.issue_token(user=user, name="test", expires_in=None).secret
    client = Client(
        headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False
    )
    failed = client.post(
        f"{prefix}/fail/{CONTENT}?password={PASSWORD}",
        {"password": PASSWORD, "content": CONTENT},
    )
    assert failed.status_code == 500
    client.post("/sign-in", {"username": CONTENT, "password": PASSWORD})
    client.get(f"{API}/{CONTENT}?token={token}")
    metrics = Client(headers={"Host": "localhost"}).get("/metrics").content.decode()
    assert "LookupError" in logged.getvalue()
    assert "parley_requests_total" in metrics
    page = failed.content.decode()
    for secret in (PASSWORD, token, CONTENT):
        assert secret not in logged.getvalue()
        assert secret not in metrics
        if prefix or secret != CONTENT:
            # A problem names the path that was asked for, to who asked for it.
            assert secret not in page


def test_a_session_is_found_by_its_key_and_ended(ann: User) -> None:
    client = Client()
    client.force_login(ann)
    key = client.cookies["sessionid"].value
    assert client.get(f"{API}/me").status_code == 200
    store = SessionStore(key)
    assert store.exists(key)
    assert not store.exists(Session.objects.get().session_key)
    stolen = Client(
        headers={"Cookie": f"sessionid={Session.objects.get().session_key}"}
    )
    assert stolen.get(f"{API}/me").status_code == 401
    store.delete()
    assert client.get(f"{API}/me").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_session_is_the_same_where_requests_wait() -> None:
    async def kept() -> tuple[bool, object, bool]:
        store = SessionStore()
        await store.aset("seat", "12a")
        await store.asave()
        key = store.session_key or ""
        found = await SessionStore(key).aget("seat")
        there = await store.aexists(key)
        await SessionStore(key).adelete()
        left = await store.aexists(key)
        # Of the thread that worked for the loop.
        await sync_to_async(connections.close_all)()
        return there, found, left

    assert asyncio.run(kept()) == (True, "12a", False)
