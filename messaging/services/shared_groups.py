"""The groups in which two users both take part."""

from messaging.cursors import decode_number, encode_cursor
from messaging.ids import UserId
from messaging.models import Conversation
from messaging.models.conversations import ConversationKind
from messaging.pagination import Page, cut_page


def shared_group_page(
    *, one: UserId, other: UserId, cursor: str | None, limit: int
) -> Page[Conversation]:
    """The groups in which both are participants, the newest first."""
    shared = (
        Conversation.objects.filter(kind=ConversationKind.GROUP, participants__user=one)
        .filter(participants__user=other)
        .only("title")
        .order_by("-pk")
    )
    if cursor is not None:
        shared = shared.filter(pk__lt=decode_number("shared-groups", cursor))
    return cut_page(
        shared[: limit + 1],
        limit=limit,
        cursor_of=lambda group: encode_cursor("shared-groups", group.pk),
    )
