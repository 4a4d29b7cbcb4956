"""The gate of the cached conversation page: who may have it, and which."""

from typing import Final, Protocol

import pydantic
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.errors import ValidationError

from api.authentication import authenticate
from api.errors import ANSWERED, answer
from api.operations import refuse_unknown_parameters
from api.schemas.fields import ConversationIdIn
from api.schemas.messages import TimelineQuery
from chats import cache
from messaging.ids import ConversationId
from messaging.services.conversations import PageVersion, page_version


class Run(Protocol):
    def __call__(
        self, request: HttpRequest, conversation_id: str
    ) -> HttpResponseBase: ...


_CONVERSATION_ID: Final = pydantic.TypeAdapter[ConversationId](ConversationIdIn)


def gate(run: Run) -> Run:
    """Let past whom the page is for, and name the page for the cache."""

    def gated(request: HttpRequest, conversation_id: str) -> HttpResponseBase:
        try:
            page = _admitted(request, conversation_id)
        except ANSWERED as error:
            return answer(request, error)
        return cache.respond(
            request, page, lambda: run(request, conversation_id=conversation_id)
        )

    return gated


def _admitted(request: HttpRequest, conversation_id: str) -> PageVersion:
    """Raises what ninja's own authentication and parsing would."""
    caller = authenticate(request)
    refuse_unknown_parameters(request, TimelineQuery.model_fields)
    try:
        wanted = _CONVERSATION_ID.validate_python(conversation_id)
    except pydantic.ValidationError as error:
        raise ValidationError(
            [
                {**fault, "loc": ("path", "conversation_id")}
                for fault in error.errors(include_context=False)
            ]
        ) from error
    return page_version(reader=caller.id, conversation_id=wanted)
