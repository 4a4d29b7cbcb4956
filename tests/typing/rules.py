"""Our own code is typed all the way."""

from typing import Any

from api.schemas.fields import Out
from messaging.models import Message
from messaging.models.notifications import NotificationKind
from messaging.signals import on_message_post_save


def untyped(message):  # E: no-untyped-def  # noqa: ANN001, ANN201
    return message


def anything(message: Any) -> None:  # E: explicit-any  # noqa: ANN401
    message.delete()


def bare_generic(messages: list) -> None:  # E: type-arg
    messages.clear()


class Odd(Out):
    def __str__(self) -> str:  # E: explicit-override
        return ""


def not_exhaustive(kind: NotificationKind) -> str:
    match kind:  # E: exhaustive-match
        case NotificationKind.MENTION:
            return "you were mentioned"
        case NotificationKind.REPLY:
            return "a reply"
    return ""


def wrong_models(message: Message) -> None:
    Message(content=1)  # E: misc
    Message(contents="hello")  # E: misc
    Message.objects.filter(contents="hello")  # E: misc
    str(message.sender.username)  # E: union-attr
    on_message_post_save(Message, message, made=True)  # E: call-arg


def compared(kind: NotificationKind) -> bool:
    return kind == 1  # E: comparison-overlap
