"""Blocks: between two people nothing new is delivered, in either direction.

They tell nothing else: search, shared groups and what was said before look the
same, and the one who is blocked cannot see who did it.
"""

from collections.abc import Collection
from typing import Final

from django.db import transaction

from messaging.access import lock_conversations
from messaging.cursors import decode_number, encode_cursor
from messaging.errors import NotDeliverableError, SelfBlockError
from messaging.ids import UserId
from messaging.models import Block, Conversation, User
from messaging.pages import Page, cut_page
from messaging.statements import Ids, Parameter, Statement

_BETWEEN: Final = Statement(
    lambda: Block.objects.between(Parameter("one"), Ids("others")).values_list("pk")
)


def block(*, blocker: User, blocked: User) -> None:
    """Let nothing more pass between the two; blocking again changes nothing.

    When it returns, no message of a conversation they have is under way any more.

    Raises:
        SelfBlockError
    """
    if blocker.pk == blocked.pk:
        raise SelfBlockError("You cannot block yourself.", field="username")
    low, high = sorted((blocker.pk, blocked.pk))
    with transaction.atomic():
        lock_conversations(Conversation.objects.filter(low_user=low, high_user=high))
        Block.objects.get_or_create(blocker=blocker, blocked=blocked)


def unblock(*, blocker: User, blocked: User) -> None:
    """Take one's own block back; the other's stays."""
    Block.objects.filter(blocker=blocker, blocked=blocked).delete()


def block_page(*, blocker: UserId, cursor: str | None, limit: int) -> Page[Block]:
    """Whom somebody blocked, the latest first."""
    blocks = Block.objects.filter(blocker=blocker)
    if cursor is not None:
        blocks = blocks.filter(pk__lt=decode_number("blocks", cursor))
    rows = (
        blocks.select_related("blocked")
        .only("created_at", "blocked__username", "blocked__display_name")
        .order_by("-pk")
    )
    return cut_page(
        rows[: limit + 1],
        limit=limit,
        cursor_of=lambda row: encode_cursor("blocks", row.pk),
    )


def blocked_among(*, blocker: UserId, people: Collection[int]) -> frozenset[int]:
    """Which of these people somebody blocked; who blocked them is not told."""
    blocks = Block.objects.filter(blocker=blocker, blocked__in=people)
    return frozenset(blocks.values_list("blocked", flat=True))


def require_deliverable(*, sender: UserId, receivers: frozenset[int]) -> None:
    """Refuse what a block stands between, without saying whose it is.

    Raises:
        NotDeliverableError
    """
    if not is_deliverable(sender=sender, receivers=receivers):
        raise NotDeliverableError("This cannot be delivered.")


def is_deliverable(*, sender: UserId, receivers: frozenset[int]) -> bool:
    """Whether there is no block between somebody and any of these."""
    return not (receivers and _BETWEEN.first(one=sender, others=[*receivers]))
