"""The counts of a deletion. They are below the models, since `User` has such an attribute."""

from collections.abc import Sequence
from dataclasses import dataclass

from messaging.ids import UserId


@dataclass(frozen=True, slots=True)
class DeletionCounts:
    """How many rows deleting an account deletes, or has deleted.

    Messages in groups leave an empty tombstone if replies below them survive. An owned
    group passes to its longest-standing member, and is deleted if nobody is left.
    """

    direct_conversations: int
    direct_messages: int
    group_messages: int
    tombstones: int
    groups_left: int
    groups_handed_over: int
    groups_deleted: int
    access_tokens: int
    looks: int
    invitations: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deletion under way: the counts from before the account's row was deleted."""

    user_id: UserId
    counts: DeletionCounts


def described(counts: DeletionCounts) -> Sequence[tuple[str, int]]:
    """Each count with its label, for staff who delete somebody's account."""
    return (
        ("Direct conversations, on both sides", counts.direct_conversations),
        ("Messages in them", counts.direct_messages),
        ("Their messages in groups", counts.group_messages),
        ("Of those, leaving an empty place above replies", counts.tombstones),
        ("Groups left", counts.groups_left),
        ("Groups handed over to their longest member", counts.groups_handed_over),
        ("Groups deleted, because they are the last in them", counts.groups_deleted),
        ("Access tokens", counts.access_tokens),
        ("Looks of staff that they were told of", counts.looks),
        ("Invitations to groups and to the server", counts.invitations),
    )
