"""What writes make or change: where it is found, and how it is shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from pydantic import BaseModel

from api.authentication import Caller
from api.preconditions import etag
from api.schemas.conversations import conversation_out
from api.schemas.messages import MessageOut, message_out
from api.schemas.people import user_out
from messaging import access
from messaging.ids import ConversationId, MessageId
from messaging.services.summaries import conversation_summary
from messaging.shown import AnyMessage

Shown = tuple[BaseModel, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Resource:
    """`path` takes the id; `show` gives body and headers as the caller may see them.

    `show` raises NotFoundError when it is gone, or no longer theirs to see.
    """

    path: str
    show: Callable[[Caller, int], Shown]

    def location(self, result_id: int) -> str:
        return f"/api/v1{self.path.format(result_id)}"


def described(message: AnyMessage, response: HttpResponse) -> MessageOut:
    """Show a message, its ETag among the headers; a tombstone has none."""
    if not message.deleted:
        response["ETag"] = _etag(message)
    return message_out(message)


def _etag(message: AnyMessage) -> str:
    return etag(MessageId(message.pk), message.content_version)


def _show_message(caller: Caller, result_id: int) -> Shown:
    message = access.readable_message(reader=caller.id, message_id=MessageId(result_id))
    if message.deleted:
        raise access.message_not_found()
    return message_out(message), {"ETag": _etag(message)}


def _show_conversation(caller: Caller, result_id: int) -> Shown:
    part = access.membership(
        reader=caller.id, conversation_id=ConversationId(result_id)
    )
    return conversation_out(conversation_summary(membership=part)), {}


def _show_me(caller: Caller, result_id: int) -> Shown:
    return user_out(caller.user), {}


MESSAGE: Final = Resource("/messages/{}", _show_message)
CONVERSATION: Final = Resource("/conversations/{}", _show_conversation)
ME: Final = Resource("/me", _show_me)
