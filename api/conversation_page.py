"""Checks access to a conversation's messages before the page cache answers.

The check also reads the page's version, which is part of the cache key.
"""

from typing import Final, Protocol

import pydantic
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.authentication import authenticate
from api.errors import ANSWERED, answer
from api.ninja_internals import invalid_path_parameter
from api.operations import refuse_unknown_parameters
from api.schemas.fields import ConversationIdIn
from api.schemas.messages import TimelineQuery
from edge import page_cache
from messaging.ids import ConversationId
from messaging.services.conversations import PageVersion, page_version


class Run(Protocol):
    def __call__(
        self, request: HttpRequest, conversation_id: str
    ) -> HttpResponseBase: ...


_CONVERSATION_ID: Final = pydantic.TypeAdapter[ConversationId](ConversationIdIn)


def participants_only(run: Run) -> Run:
    """Decorator: authenticate, check the membership, then answer by the page cache."""

    def checked(request: HttpRequest, conversation_id: str) -> HttpResponseBase:
        try:
            page = _page_version_for_caller(request, conversation_id)
        except ANSWERED as error:
            return answer(request, error)
        return page_cache.respond(
            request, page, lambda: run(request, conversation_id=conversation_id)
        )

    return checked


def _page_version_for_caller(request: HttpRequest, conversation_id: str) -> PageVersion:
    """Authenticate and parse with the same errors as ninja, which does both after the cache."""
    caller = authenticate(request)
    refuse_unknown_parameters(request, TimelineQuery.model_fields)
    try:
        wanted = _CONVERSATION_ID.validate_python(conversation_id)
    except pydantic.ValidationError as error:
        raise invalid_path_parameter("conversation_id", error) from error
    return page_version(reader=caller.id, conversation_id=wanted)
