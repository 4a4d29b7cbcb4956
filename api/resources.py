"""The resources that writes create or change: their URLs, and their bodies for replays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from pydantic import BaseModel

from api.authentication import Caller
from api.preconditions import etag
from api.schemas.conversations import conversation_out
from api.schemas.messages import MessageOut, message_out
from api.schemas.users import profile_out
from messaging import access
from messaging.ids import ConversationId, MessageId
from messaging.projections import MessageProjection
from messaging.services.summaries import conversation_summary

Representation = tuple[BaseModel, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Resource:
    """`path` is a template for the id; `show` returns body and headers for a caller.

    `show` raises NotFoundError if the resource is gone, or hidden from the caller.
    """

    path: str
    show: Callable[[Caller, int], Representation]

    def location(self, result_id: int) -> str:
        return f"/api/v1{self.path.format(result_id)}"


def message_with_etag(message: MessageProjection, response: HttpResponse) -> MessageOut:
    """The body for a message. It sets the message's ETag on `response`; a tombstone has none."""
    if not message.deleted:
        response["ETag"] = _etag(message)
    return message_out(message)


def _etag(message: MessageProjection) -> str:
    return etag(message.id, message.version)


def _show_message(caller: Caller, result_id: int) -> Representation:
    found = access.readable_message(reader=caller.id, message_id=MessageId(result_id))
    if found.deleted:
        raise access.message_not_found()
    message = found.projection()
    return message_out(message), {"ETag": _etag(message)}


def _show_conversation(caller: Caller, result_id: int) -> Representation:
    membership = access.membership(
        reader=caller.id, conversation_id=ConversationId(result_id)
    )
    return conversation_out(conversation_summary(membership=membership)), {}


def _show_me(caller: Caller, result_id: int) -> Representation:
    return profile_out(caller.user), {}


MESSAGE: Final = Resource("/messages/{}", _show_message)
CONVERSATION: Final = Resource("/conversations/{}", _show_conversation)
ME: Final = Resource("/me", _show_me)
