"""What the composer is drawn with: in a conversation, and in a thread."""

from collections.abc import Mapping

from chats.decorators import PageRequest, reader_of
from chats.idempotency import new_form_id
from chats.ids import parse_message_id
from messaging import access
from messaging.access import Membership
from messaging.errors import InvalidError
from messaging.ids import ConversationId, MessageId
from messaging.projections import MessageProjection
from messaging.services.participants import namesakes_among


def composer_context(
    request: PageRequest, membership: Membership, query: Mapping[str, str]
) -> dict[str, object]:
    """A composer that answers the message that `reply` names, if there is one.

    Raises:
        MessageNotFoundError: the conversation has no such message.
    """
    answered = _answered(request, membership, query)
    alike = answered and namesakes_among(
        conversation_id=ConversationId(membership.conversation_id),
        shown=[answered.sender],
    )
    return _context(membership, answered, None) | {
        "chosen": answered is not None,
        "namesakes": alike,
    }


def thread_composer_context(
    membership: Membership, answered: MessageProjection | None, thread_id: MessageId
) -> dict[str, object]:
    """A composer that answers the branch one looks at, as long as nobody chose a message.

    The page knows its namesakes.
    """
    return _context(membership, answered, thread_id) | {"chosen": False}


def thread_id_of(query: Mapping[str, str]) -> MessageId | None:
    """The root of the thread page that sent the request; None for a conversation page.

    An invalid id counts as none: the write may be done already.
    """
    try:
        return parse_message_id(query.get("thread"))
    except InvalidError:
        return None


def _answered(
    request: PageRequest, membership: Membership, query: Mapping[str, str]
) -> MessageProjection | None:
    replied = parse_message_id(query.get("reply"))
    if replied is None:
        return None
    found = access.readable_message(reader=reader_of(request), message_id=replied)
    # A reply belongs to the conversation of its parent.
    if found.conversation_id != membership.conversation_id:
        raise access.message_not_found()
    return found.projection()


def _context(
    membership: Membership,
    answered: MessageProjection | None,
    thread_id: MessageId | None,
) -> dict[str, object]:
    return {
        "conversation_id": ConversationId(membership.conversation_id),
        "answered": answered,
        "form_id": new_form_id(),
        "content": "",
        "refusal": None,
        "thread_id": thread_id,
    }
