"""The log: a line for each request, and never what people wrote."""

import logging
import secrets
from collections.abc import Iterator
from io import StringIO
from urllib.parse import quote

import orjson
import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from config.urls import urlpatterns as real_urlpatterns
from edge.logs import JsonFormatter, LineFormatter, RequestFilter
from edge.middleware import RequestIdMiddleware
from messaging.models import Conversation, Message, User
from tests.api_client import API, Answer, ApiClient, Json
from tests.conftest import ClientOf
from tests.rows import overwrite

# Each can be found in any text, and stands nowhere by chance.
CONTENT = "zq-content-7351"
PASSWORD = "zq-password-7351"
USERNAME = "zq-username-7351"
SECRET_TEXTS = (CONTENT, PASSWORD, USERNAME)


def fail(request: HttpRequest, name: str) -> HttpResponse:
    """A defect that holds what was sent in its variables and in its text."""
    content = request.body.decode()
    try:
        int(content)
    except ValueError as error:
        raise LookupError(content) from error
    return HttpResponse()


urlpatterns: list[object] = [*real_urlpatterns, path("fail/<name>", fail)]


class Log:
    """What the configured handler writes, in the format of its formatter."""

    def __init__(self, handler: "logging.StreamHandler[StringIO]") -> None:
        self.handler = handler
        self.stream = StringIO()
        handler.setStream(self.stream)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def entries(self) -> list[Json]:
        return [orjson.loads(line) for line in self.text.splitlines()]

    @property
    def accesses(self) -> list[Json]:
        return [entry for entry in self.entries if entry["logger"] == "parley.access"]


@pytest.fixture
def log() -> Iterator[Log]:
    (handler,) = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, (JsonFormatter, LineFormatter))
    ]
    assert isinstance(handler, logging.StreamHandler)
    stream, formatter, level = handler.stream, handler.formatter, handler.level
    handler.setFormatter(JsonFormatter())
    handler.setLevel(logging.DEBUG)
    yield Log(handler)
    handler.setStream(stream)
    handler.setFormatter(formatter)
    handler.setLevel(level)


def test_a_request_is_one_line(log: Log, ann: User, client_of: ClientOf) -> None:
    message = Message.objects.create(sender=ann, receiver=other(), content="hi")
    answer = client_of(ann).get(f"/messages/{message.pk}")
    (line,) = log.accesses
    duration = line.pop("duration_ms")
    assert isinstance(duration, float)
    assert 0 < duration < 60_000
    assert str(line.pop("time")).endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "parley.access",
        "message": "GET /api/v1/messages/<message_id> 200",
        "request_id": answer.headers["X-Request-ID"],
        "method": "GET",
        "route": "/api/v1/messages/<message_id>",
        "status": 200,
        "user_id": ann.pk,
    }


def other() -> User:
    return User.objects.create_user(f"other-{secrets.token_hex(4)}")


def test_nobodys_request_names_nobody(log: Log, anonymous: ApiClient) -> None:
    anonymous.get("/me")
    (line,) = log.accesses
    assert (line["status"], line["user_id"]) == (401, None)


def test_a_person_in_the_browser_is_named_by_id(log: Log, ann: User) -> None:
    client = Client()
    client.force_login(ann)
    client.get("/account/delete")
    assert log.accesses[-1]["user_id"] == ann.pk


def test_an_unknown_path_and_method_are_not_repeated(log: Log, db: None) -> None:
    Client().generic("ZQMETHOD", f"/{CONTENT}?{CONTENT}={CONTENT}")
    (line,) = log.accesses
    assert (line["method"], line["route"], line["status"]) == ("(other)", "(none)", 404)
    assert "ZQMETHOD" not in log.text


def test_nothing_that_people_wrote_is_logged(log: Log, settings: Settings) -> None:
    """Every write operation, refused ones too, and what is read by a name."""
    requests = Writes().run()
    assert len(log.accesses) == requests
    routes = {line["route"] for line in log.accesses}
    assert len(routes) >= 20
    for secret in (*SECRET_TEXTS, *Writes.tokens):
        assert log.text.count(secret) == 0, secret


class Writes:
    tokens: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.count = 0
        self.api = ApiClient()

    def call(self, method: str, where: str, body: object = None) -> Answer:
        self.count += 1
        answered = self.api.client.generic(
            method,
            f"{API}{where}",
            b"" if body is None else orjson.dumps(body),
            content_type="application/json",
        )
        content = b"" if answered.streaming else answered.content
        return Answer(answered.status_code, dict(answered.headers), content)

    def register(self, name: str) -> str:
        answer = self.call(
            "POST",
            "/auth/register",
            {"username": name, "password": PASSWORD, "display_name": CONTENT},
        )
        assert answer.status == 201, answer.body
        Writes.tokens += (answer.text("token"),)
        return answer.text("token")

    def run(self) -> int:
        peer = self.register(f"{USERNAME}-b")
        mine = self.register(f"{USERNAME}-a")
        signs = {"username": f"{USERNAME}-a", "password": PASSWORD}
        issued = self.call("POST", "/auth/tokens", {**signs, "name": CONTENT})
        Writes.tokens += (issued.text("token"),)
        self.call("POST", "/auth/tokens", {**signs, "password": f"{PASSWORD}!"})
        self.api = ApiClient(mine)
        self.call("GET", "/auth/tokens")
        self.call("DELETE", f"/auth/tokens/{issued.number('id')}")
        self.call("PATCH", "/me", {"display_name": f"{CONTENT} anew"})
        self.call("PATCH", "/me", {"display_name": CONTENT * 50})
        self.call("GET", f"/users?query={USERNAME}")
        self.messages(f"{USERNAME}-b")
        self.groups(f"{USERNAME}-b")
        self.reads(peer)
        self.api = ApiClient(mine)
        self.call("GET", "/me/export")
        new = f"unlike before: {PASSWORD}"
        passwords = {"current_password": PASSWORD, "new_password": new}
        assert self.call("PUT", "/me/password", passwords).status == 204
        assert self.call("PUT", "/me/password", passwords).status == 403
        self.api.client.post("/sign-in", signs)
        self.api.client.post(f"/admin/login/?next=/{CONTENT}", signs)
        self.count += 2
        self.call("DELETE", "/me", {"password": PASSWORD})
        assert self.call("DELETE", "/me", {"password": new}).status == 200
        self.api = ApiClient(f"{peer}-{CONTENT}")
        self.call("GET", "/me")
        return self.count

    def messages(self, receiver: str) -> None:
        body = {"receiver": receiver, "content": CONTENT}
        sent = self.call("POST", "/messages", body)
        assert sent.status == 201, sent.body
        self.message = sent.number("id")
        self.conversation = sent.number("conversation_id")
        where = f"/messages/{self.message}"
        assert self.call("PATCH", where, {"content": f"{CONTENT}!"}).status == 200
        self.call("POST", f"{where}/history/1/restore")
        self.call("GET", f"{where}/history")
        self.call("GET", f"{where}/thread?{CONTENT}=1")
        self.call("PATCH", where, {"content": CONTENT * 500})
        self.call("POST", "/messages", {**body, CONTENT: CONTENT})
        self.call("POST", "/messages", {**body, "receiver": f"{USERNAME}-nobody"})
        self.count += 1
        self.api.client.generic(
            "POST", f"{API}/messages", f'{{"{CONTENT}'.encode(), "application/json"
        )
        reply = {"content": CONTENT, "parent_message_id": self.message}
        answer = self.call(
            "POST", f"/conversations/{self.conversation}/messages", reply
        )
        self.call("DELETE", f"/messages/{answer.number('id')}")
        self.call(
            "GET", f"/conversations/{self.conversation}/messages?cursor={CONTENT}"
        )

    def groups(self, member: str) -> None:
        group = self.call(
            "POST",
            "/conversations",
            {"kind": "group", "title": CONTENT, "participants": [member]},
        )
        where = f"/conversations/{group.number('id')}"
        self.call("PATCH", where, {"title": f"{CONTENT}!"})
        self.call("POST", f"{where}/messages", {"content": f"@{member} {CONTENT}"})
        self.call("PUT", f"{where}/participants/{member}", {"role": "owner"})
        self.call("DELETE", f"{where}/participants/{USERNAME}-nobody")
        self.call("DELETE", f"{where}/participants/{USERNAME}-a")

    def reads(self, token: str) -> None:
        self.api = ApiClient(token)
        self.call("GET", "/inbox")
        up_to = self.call("GET", "/inbox/summary").text("up_to")
        self.call("PUT", f"/messages/{self.message}/read")
        self.call("DELETE", f"/messages/{self.message}/read")
        self.call(
            "PUT", f"/conversations/{self.conversation}/read", {"up_to_sequence": 9}
        )
        self.call("PUT", "/inbox/read", {"up_to": up_to})
        self.call("GET", "/notifications")
        self.call("PUT", "/notifications/1/read")


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    Writes.tokens = ()


def test_a_failed_write_is_logged_without_what_it_was_to_write(
    log: Log, ann: User, client_of: ClientOf
) -> None:
    sent = Message.objects.create(sender=ann, receiver=other(), content="first")
    # The next sequence is taken: a defect, which the unique constraint answers.
    overwrite(Conversation.objects.all(), last_sequence=0)
    answer = client_of(ann).post(
        f"/conversations/{sent.conversation_id}/messages", {"content": CONTENT}
    )
    assert (answer.status, answer.code) == (500, "internal_error")
    failure, access = log.entries
    assert failure["level"] == "ERROR"
    assert failure["request_id"] == access["request_id"] == answer.text("request_id")
    assert "messaging/services/messages.py" in str(failure["exception"])
    assert str(failure["exception"]).endswith("django.db.utils.IntegrityError")
    assert CONTENT not in log.text


# Django escapes what it logs.
@pytest.mark.parametrize("odd", ["", "é", "\n", "\\"])
def test_an_exceptions_place_and_type_are_logged_and_its_text_is_not(
    log: Log, settings: Settings, odd: str
) -> None:
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)
    path = f"/fail/{quote(USERNAME + odd)}"
    answer = client.post(path, CONTENT, content_type="text/plain")
    assert answer.status_code == 500
    (failure,) = [entry for entry in log.entries if entry["level"] == "ERROR"]
    assert failure["message"] == "Internal Server Error: /fail/<name>"
    text = str(failure["exception"])
    assert 'test_logs.py", line' in text
    assert text.index("builtins.ValueError") < text.index("builtins.LookupError")
    for secret in SECRET_TEXTS:
        assert secret not in log.text


def test_details_are_logged_where_they_are_wanted(log: Log, settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.PARLEY_LOG_DETAILS = True
    log.handler.setFormatter(JsonFormatter(details=True))
    (kept,) = log.handler.filters
    log.handler.filters[:] = [RequestFilter(details=True)]
    client = Client(raise_request_exception=False)
    client.post(f"/fail/{USERNAME}?{PASSWORD}", CONTENT, content_type="text/plain")
    log.handler.filters[:] = [kept]
    failure, access = log.entries
    assert failure["message"] == f"Internal Server Error: /fail/{USERNAME}"
    assert f"LookupError: {CONTENT}" in str(failure["exception"])
    assert access["path"] == f"/fail/{USERNAME}"
    # Never the query.
    assert PASSWORD not in log.text


@pytest.mark.parametrize("details", [False, True])
@pytest.mark.parametrize(
    "path",
    ["/join/4711sesame", "/api/v1/invitations/4711sesame", "/join/4711sesame/more"],
)
def test_the_code_of_an_invitation_is_in_no_log(
    log: Log, db: None, settings: Settings, path: str, details: bool
) -> None:
    settings.PARLEY_LOG_DETAILS = details
    (kept,) = log.handler.filters
    log.handler.filters[:] = [RequestFilter(details=details)]
    for browser in (Client(), Client(enforce_csrf_checks=True)):
        browser.get(path)
        browser.post(path)
    log.handler.filters[:] = [kept]
    assert len(log.entries) >= 4
    assert "4711sesame" not in log.text


def test_a_line_for_people_says_the_same(log: Log, ann: User) -> None:
    log.handler.setFormatter(LineFormatter())
    answer = Client().get("/healthz")
    time, rest = log.text.rstrip("\n").split(" ", 1)
    assert time.endswith("Z")
    request_id = answer.headers["X-Request-ID"]
    assert rest.startswith(
        f"INFO parley.access GET /healthz 200 request_id={request_id} method=GET"
    )


def test_a_line_for_people_hides_an_exceptions_text_too(log: Log) -> None:
    log.handler.setFormatter(LineFormatter())
    try:
        getattr(log, CONTENT)
    except AttributeError:
        logging.getLogger("test").exception("failed")
    assert "ERROR test failed\n" in log.text
    assert log.text.endswith("builtins.AttributeError\n")
    assert CONTENT not in log.text


def test_records_outside_of_a_request_have_no_id(log: Log) -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        logging.getLogger("test").warning("within")
        return HttpResponse()

    request = HttpRequest()
    response = RequestIdMiddleware(answer)(request)
    logging.getLogger("test").warning("after")
    within, after = log.entries
    assert within["request_id"] == response["X-Request-ID"]
    assert "request_id" not in after


def test_statements_are_not_logged_with_their_values(
    log: Log, ann: User, settings: Settings
) -> None:
    settings.DEBUG = True
    connection.force_debug_cursor = True
    try:
        Message.objects.create(sender=ann, receiver=other(), content=CONTENT)
    finally:
        connection.force_debug_cursor = False
    assert log.text == ""


def test_djangos_own_handlers_are_gone() -> None:
    for name in ("django", "django.request", "django.server"):
        assert logging.getLogger(name).handlers == []
