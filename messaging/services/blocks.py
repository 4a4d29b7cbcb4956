"""Blocks: nothing new is delivered between two users, in either direction.

A block shows nowhere else: search, shared groups and earlier messages stay the same,
and blocked users cannot see who blocked them.
"""

from collections.abc import Collection

from django.conf import settings
from django.db.models import QuerySet

from messaging.changes import changing_all
from messaging.cursors import decode_number, encode_cursor
from messaging.database import CompiledQuery
from messaging.errors import NotDeliverableError, SelfBlockError, TooManyBlocksError
from messaging.ids import UserId
from messaging.models import Block, Conversation, User
from messaging.pagination import Page, cut_page
from messaging.projections import UserProjection


@CompiledQuery
def _between(
    *, one: UserId, others: Collection[int]
) -> QuerySet[Block, tuple[int, int]]:
    blocks = Block.objects.between(one, others)
    return blocks.values_list("blocker_id", "blocked_id")


def block(*, blocker: User, blocked: User) -> None:
    """Stop delivery between two users; idempotent.

    It waits for the lock of their conversation: when it returns, no message is under
    way.

    Raises:
        SelfBlockError
        TooManyBlocksError
        UserNotFoundError: the account was deleted just now.
    """
    if blocker.pk == blocked.pk:
        raise SelfBlockError("You cannot block yourself.", field="username")
    low, high = sorted((blocker.pk, blocked.pk))
    theirs = Conversation.objects.filter(low_user=low, high_user=high)
    # There may be no conversation yet: then this locks nothing.
    with changing_all(theirs) as change:
        blocks = Block.objects.filter(blocker=blocker)
        if not blocks.filter(blocked=blocked).exists():
            # Locked: of two concurrent blocks, the second counts the first.
            change.lock_users({blocker.pk})
            _require_room(blocks.count())
        Block.objects.get_or_create(blocker=blocker, blocked=blocked)


def unblock(*, blocker: User, blocked: User) -> None:
    """Remove `blocker`'s block; a block by the other user stays. Idempotent."""
    Block.objects.filter(blocker=blocker, blocked=blocked).delete()


def block_page(*, blocker: UserId, cursor: str | None, limit: int) -> Page[Block]:
    """The blocks that a user made, newest first."""
    blocks = Block.objects.filter(blocker=blocker)
    if cursor is not None:
        blocks = blocks.filter(pk__lt=decode_number("blocks", cursor))
    rows = (
        blocks.select_related("blocked")
        .only("created_at", *UserProjection.columns("blocked"))
        .order_by("-pk")
    )
    return cut_page(
        rows[: limit + 1],
        limit=limit,
        cursor_of=lambda row: encode_cursor("blocks", row.pk),
    )


def blocked_among(*, blocker: UserId, people: Collection[int]) -> frozenset[int]:
    """Those of these users whom `blocker` blocked; never those who blocked `blocker`."""
    blocks = Block.objects.filter(blocker=blocker, blocked__in=people)
    return frozenset(blocks.values_list("blocked", flat=True))


def blocked_either_way(*, one: UserId, others: Collection[int]) -> frozenset[int]:
    """Those of `others` who block `one`, or whom `one` blocks."""
    pairs = _between.all(one=one, others=others) if others else []
    return frozenset(user for pair in pairs for user in pair) - {one}


def require_deliverable(*, sender: UserId, receivers: frozenset[int]) -> None:
    """Refuse if there is a block between the sender and a receiver, in either direction.

    Raises:
        NotDeliverableError
    """
    if not is_deliverable(sender=sender, receivers=receivers):
        raise NotDeliverableError("This cannot be delivered.")


def is_deliverable(*, sender: UserId, receivers: frozenset[int]) -> bool:
    """Whether there is no block between the sender and any of these users."""
    return not (receivers and _between.first(one=sender, others=receivers))


def _require_room(blocks: int) -> None:
    if blocks >= settings.PARLEY_MAX_BLOCKS:
        raise TooManyBlocksError(
            f"You block {blocks:,} people, as many as one may. Unblock someone first."
        )
