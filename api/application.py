"""The API: its routers, its errors, its OpenAPI document."""

from typing import Final, cast

from django.conf import settings
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from typing_extensions import override

from api.authentication import AUTHENTICATORS
from api.errors import ANSWERED, answer
from api.ninja_internals import Document
from api.parsing import JsonParser, JsonRenderer
from api.routers import (
    auth,
    blocks,
    catch_up,
    conversations,
    events,
    inbox,
    invitations,
    looks,
    me,
    message_lists,
    messages,
    notifications,
    participants,
    service,
    users,
)
from api.schemas.events import EVENT_STREAM, StreamEvent
from api.schemas.export import NDJSON, ExportLine
from edge.problems import CONTENT_TYPE, Problem

# ninja declares every body as application/json; these schemas are sent with other
# types.
_CONTENT_TYPES: Final = {
    f"#/components/schemas/{Problem.__name__}": CONTENT_TYPE,
    f"#/components/schemas/{ExportLine.__name__}": NDJSON,
    f"#/components/schemas/{StreamEvent.__name__}": EVENT_STREAM,
}

# The part of an OpenAPI schema that this module reads.
_Schema = dict[str, list["_Schema"]]

_DESCRIPTION: Final = """\
Direct and group conversations, reply trees of any depth, an unread inbox and a full edit history.

**Sign in**: `POST /auth/register` or `POST /auth/tokens` answer with a token; send it as
`Authorization: Bearer …`, or press *Authorize* here.

**Lists** answer `{"items": […], "next_cursor": …}`; send `next_cursor` back as `?cursor=` for the next page.
Newest first, except trees and histories.

**Events** tell of everything at once: `GET /events` streams them, `GET /events/poll` waits for them.

**Limits** are told by `RateLimit` and `RateLimit-Policy`; past them the answer is 429 with `Retry-After`.

**Refusals** are `application/problem+json` with a stable `code`. What you may not see is answered like what does
not exist.
"""


class ParleyAPI(NinjaAPI):
    """The API, whose document states the true content type of every body."""

    @override
    def get_openapi_schema(
        self,
        *,
        path_prefix: str | None = None,
        path_params: dict[str, str] | None = None,
    ) -> Document:
        schema = super().get_openapi_schema(
            path_prefix=path_prefix, path_params=path_params
        )
        for path in schema["paths"].values():
            for operation in path.values():
                _describe_body(operation.get("requestBody", {}).get("content", {}))
                for response in operation["responses"].values():
                    _describe_content(response)
        return schema


def _describe_body(content: dict[str, dict[str, _Schema]]) -> None:
    """Remove the default of an optional body, which code generators refuse."""
    for body in content.values():
        if "default" in body["schema"]:
            [body["schema"]] = body["schema"]["allOf"]


def _describe_content(
    response: dict[str, dict[str, dict[str, dict[str, str]]]],
) -> None:
    content = response.get("content", {})
    body = content.get("application/json", {"schema": {}})
    if content_type := _CONTENT_TYPES.get(body["schema"].get("$ref", "")):
        content[content_type] = content.pop("application/json")


def _build() -> ParleyAPI:
    built = ParleyAPI(
        title="Parley",
        version=settings.PARLEY_VERSION,
        description=_DESCRIPTION,
        urls_namespace="api",
        docs_decorator=lambda view: csrf_exempt(require_safe(view)),
        auth=AUTHENTICATORS,
        parser=JsonParser(),
        renderer=JsonRenderer(),
    )
    for kind in ANSWERED:
        built.add_exception_handler(
            kind, lambda request, error: answer(request, cast(Exception, error))
        )
    built.add_router("/auth", auth.router)
    built.add_router("/me", me.router)
    built.add_router("/users", users.router)
    built.add_router("/blocks", blocks.router)
    for router in (
        conversations.router,
        participants.router,
        message_lists.router,
        invitations.of_groups,
    ):
        built.add_router("/conversations", router)
    built.add_router("/invitations", invitations.router)
    built.add_router("/messages", messages.router)
    built.add_router("/inbox", inbox.router)
    built.add_router("/me/catch-up", catch_up.router)
    built.add_router("/me/looks", looks.router)
    built.add_router("/notifications", notifications.router)
    built.add_router("/events", events.router)
    built.add_router("/service", service.router)
    return built


api = _build()
