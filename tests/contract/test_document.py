"""What the OpenAPI document promises, and the page that shows it."""

from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

import orjson
import pytest
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator
from typing_extensions import override

from tests.api_client import ApiClient
from tests.contract.document import (
    PROBLEM_TYPE,
    Operation,
    Schema,
    operations,
    resolved,
    schemas,
)

# Generated clients call these: a name may be added, none may change.
OPERATION_IDS: Final = (
    "auth_create_token",
    "auth_list_tokens",
    "auth_register",
    "auth_revoke_current_token",
    "auth_revoke_token",
    "blocks_list",
    "blocks_put",
    "blocks_remove",
    "catch_up_list",
    "conversations_get",
    "conversations_hide",
    "conversations_list",
    "conversations_mark_read",
    "conversations_mute",
    "conversations_start",
    "conversations_typing",
    "conversations_unhide",
    "conversations_unmute",
    "conversations_update",
    "events_poll",
    "events_stream",
    "history_list",
    "history_restore",
    "inbox_list",
    "inbox_mark_read",
    "inbox_summary",
    "invitations_accept",
    "invitations_create",
    "invitations_get",
    "invitations_list",
    "invitations_revoke",
    "looks_list",
    "looks_mark_seen",
    "me_change_password",
    "me_delete",
    "me_export",
    "me_get",
    "me_preview_deletion",
    "me_update",
    "messages_delete",
    "messages_edit",
    "messages_get",
    "messages_list",
    "messages_list_receipts",
    "messages_mark_read",
    "messages_mark_unread",
    "messages_send",
    "messages_send_direct",
    "notifications_list",
    "notifications_mark_read",
    "owners_add",
    "owners_remove",
    "participants_list",
    "participants_put",
    "participants_remove",
    "service_create_token",
    "service_create_user",
    "threads_get",
    "threads_list_replies",
    "users_search",
)

# What is no plain JSON.
SPECIAL_TYPES: Final = {
    "me_export": "application/x-ndjson",
    "events_stream": "text/event-stream",
}

DOCS: Final = "/api/v1/docs"

for_every_operation = pytest.mark.parametrize(
    "operation", operations(), ids=lambda operation: operation.id
)


def test_the_document_is_valid_openapi(anonymous: ApiClient) -> None:
    served = anonymous.get("/openapi.json")
    assert served.text("openapi").startswith("3.1.")
    OpenAPIV31SpecValidator(served.json).validate()


def test_operation_ids_are_stable() -> None:
    assert tuple(sorted(operation.id for operation in operations())) == OPERATION_IDS


@for_every_operation
def test_an_operation_says_what_it_does(operation: Operation) -> None:
    summary = operation.described.summary
    description = operation.described.description
    assert summary
    assert not summary.endswith(".")
    assert description.endswith(".")
    assert description.rstrip(".") != summary


@for_every_operation
def test_every_refusal_is_declared_as_a_problem(operation: Operation) -> None:
    errors = {status for status in operation.statuses if status >= 400}
    expected = {400, 422, 500, 503}
    expected |= set() if operation.public else {401}
    named = {parameter.name for parameter in operation.parameters("path")}
    # A wrong code is refused like a wrong password.
    expected |= {404} if named - {"code"} else set()
    expected |= {413, 415} if operation.bodies else set()
    assert expected <= errors
    for status in errors:
        [(kind, media)] = operation.described.responses[status].content.items()
        assert kind == PROBLEM_TYPE
        assert media.value.ref == "#/components/schemas/Problem"


@for_every_operation
def test_every_success_is_declared(operation: Operation) -> None:
    answers = {
        status: set(response.content)
        for status, response in operation.described.responses.items()
        if status < 400
    }
    assert answers
    for status, kinds in answers.items():
        expected = SPECIAL_TYPES.get(operation.id, "application/json")
        assert kinds == (set() if status in {204, 304} else {expected})


@for_every_operation
def test_numbers_that_clients_send_are_bounded_integers(operation: Operation) -> None:
    sent = [parameter.value for parameter in operation.described.parameters]
    for schema in operation.bodies:
        sent += schema.properties.values()
    for value in map(resolved, sent):
        assert value.type in {"integer", "string", "array", "boolean"}
        if value.type == "integer":
            assert value.minimum is not None
            assert value.maximum is not None
            assert value.maximum < 2**63


@for_every_operation
def test_a_body_admits_no_unknown_field(operation: Operation) -> None:
    assert all(schema.additional_properties is False for schema in operation.bodies)


@for_every_operation
def test_a_body_is_one_schema_or_one_of_several(operation: Operation) -> None:
    """A default for a whole body is more than most generators understand."""
    body = operation.described.body
    for media in [] if body is None else body.content.values():
        assert media.value.ref is not None or media.value.one_of


@for_every_operation
def test_ids_are_named_after_what_they_identify(operation: Operation) -> None:
    names = [parameter.name for parameter in operation.parameters("path")]
    assert all(
        name.endswith("_id") or name in {"username", "version", "code"}
        for name in names
    )


def test_no_two_schemas_have_one_name_or_one_shape_by_accident() -> None:
    """A collision shows as a name with a number, or the module, added to it."""
    assert all(name.isalpha() for name in schemas())
    assert all(schema.ref is None for schema in schemas().values())


def test_every_reference_of_the_document_resolves(anonymous: ApiClient) -> None:
    text = orjson.dumps(anonymous.get("/openapi.json").json).decode()
    referred = {
        part.partition('"')[0]
        for part in text.split('"$ref":"#/components/schemas/')[1:]
    }
    assert referred
    assert referred <= schemas().keys()


def test_message_ids_are_plain_integers() -> None:
    """The id types of our code are plain integers for clients."""
    shown = schemas()["MessageOut"].properties
    assert _kinds(shown, "id", "conversation_id", "parent_message_id") == {"integer"}


def test_the_docs_page_loads_everything_from_its_own_origin() -> None:
    client = Client()
    page = client.get(DOCS)
    assert page.status_code == 200
    html = page.content.decode()
    found = _References()
    found.feed(html)
    assert len(found.loaded) >= 4
    assert "/api/v1/openapi.json" in html
    for reference in [*found.loaded, "/api/v1/openapi.json"]:
        assert urljoin(DOCS, reference).startswith("/"), reference
        assert not reference.startswith("//"), reference
        # The icon's well-known address leads to it.
        asset = client.get(urljoin(DOCS, reference), follow=True)
        assert asset.status_code == 200, reference
        _check_style(b"".join(asset), reference)


def test_the_docs_page_runs_no_inline_code() -> None:
    found = _References()
    found.feed(Client().get(DOCS).content.decode())
    assert found.inline_scripts == 0


class _References(HTMLParser):
    """What a browser loads with a page."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline_scripts = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        reference = named.get("src") or (named.get("href") if tag == "link" else None)
        if reference is not None:
            self.loaded.append(reference)
        elif tag == "script" and named.get("type") != "application/json":
            self.inline_scripts += 1


def _check_style(body: bytes, name: str) -> None:
    """A style sheet loads what it imports or shows: nothing from elsewhere."""
    if not name.endswith(".css"):
        return
    style = body.decode()
    assert "@import" not in style
    for part in style.split("url(")[1:]:
        assert part.lstrip("\"'").startswith("data:"), part[:60]


def _kinds(properties: dict[str, Schema], *names: str) -> set[str | None]:
    return {resolved(properties[name]).type for name in names}
