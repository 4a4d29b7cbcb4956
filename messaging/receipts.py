"""What a deletion took away. Beneath the models, so that one can carry it."""

from dataclasses import dataclass

from messaging.ids import UserId


@dataclass(frozen=True, slots=True)
class DeletionCounts:
    """What deleting an account takes away, or took.

    Of the messages in groups, those with surviving replies below leave an empty
    tombstone. Groups are handed over to their longest members, and go when
    nobody is left.
    """

    direct_conversations: int
    direct_messages: int
    group_messages: int
    tombstones: int
    groups_left: int
    groups_handed_over: int
    groups_deleted: int
    access_tokens: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deletion under way: what was locked and found before the account went."""

    user_id: UserId
    counts: DeletionCounts
