"""The invariants of the data: checks that it keeps them, and repairs of what can be derived."""

from collections.abc import Iterator
from typing import Final

from messaging.models import (
    Conversation,
    InviteCode,
    LookNotice,
    Message,
    MessageHistory,
    Notification,
    Removal,
    User,
)
from messaging.services import (
    conversation_faults,
    invitation_faults,
    message_faults,
    notification_faults,
)
from messaging.services.invariant_checks import Check, Finding, FoldedCheck, Repair
from messaging.services.looks import told_of_own_looks
from messaging.services.search_indexes import (
    lock_group,
    lock_user,
    reindex_groups,
    reindex_users,
    wrongly_indexed_groups,
    wrongly_indexed_users,
)


def find_inconsistencies() -> Iterator[Finding]:
    """The broken invariants, in the order of `CHECKS`."""
    return (finding for check in CHECKS if (finding := check.find()))


def repair_inconsistencies() -> Iterator[Repair]:
    """Repair what can be derived from other rows; later repairs build on earlier ones."""
    return (repair for check in CHECKS if (repair := check.repair()))


# Repairs of counters follow those of the rows that they count.
CHECKS: Final[
    tuple[
        Check[Message]
        | Check[Conversation]
        | Check[MessageHistory]
        | Check[Notification]
        | Check[LookNotice]
        | Check[InviteCode]
        | Check[Removal]
        | FoldedCheck[User]
        | FoldedCheck[Conversation],
        ...,
    ]
] = (
    Check(
        "no two messages of a conversation have one sequence",
        message_faults.numbered_twice,
        "conversation",
    ),
    Check(
        "no sequence is beyond its conversation's last",
        message_faults.numbered_beyond_the_last,
        "pk",
        message_faults.raise_last_sequence,
    ),
    Check(
        "no conversation was last active in the future",
        conversation_faults.active_in_the_future,
        "pk",
        conversation_faults.recompute_last_activity,
    ),
    Check("every parent exists", message_faults.parent_missing, "conversation"),
    Check(
        "a parent is of the same conversation",
        message_faults.parent_elsewhere,
        "conversation",
    ),
    Check(
        "a parent came before its replies", message_faults.parent_later, "conversation"
    ),
    Check(
        "below every tombstone a message survives",
        message_faults.orphan_tombstones,
        "conversation",
        message_faults.erase_messages,
    ),
    Check(
        "a tombstone keeps no history, no notification and no id of an import",
        message_faults.tombstones_that_keep_something,
        "conversation",
        message_faults.clear_tombstones,
    ),
    Check(
        "reply_count is the number of replies",
        message_faults.miscounted_replies,
        "conversation",
        message_faults.count_replies,
    ),
    Check(
        "content_version is one more than the versions kept",
        message_faults.wrong_content_versions,
        "conversation",
        message_faults.raise_content_version,
    ),
    Check(
        "a kept version names its message's conversation",
        message_faults.kept_elsewhere,
        "message__conversation",
        message_faults.recompute_conversation,
    ),
    Check(
        "a notification names its message's conversation",
        notification_faults.notified_elsewhere,
        "message__conversation",
        notification_faults.recompute_conversation,
    ),
    Check(
        "only participants are notified, and never the sender",
        notification_faults.misdirected_notifications,
        "message__conversation",
        notification_faults.erase_notifications,
    ),
    Check(
        "a message is read when no unread notification of it is left",
        notification_faults.wrongly_read,
        "conversation",
        notification_faults.recompute_read,
    ),
    Check(
        "a direct conversation has its two people as participants",
        conversation_faults.incomplete_pairs,
        "pk",
    ),
    Check(
        "a group has an owner",
        conversation_faults.without_owner,
        "pk",
        conversation_faults.repair_ownership,
    ),
    Check("nobody is told of their own look", told_of_own_looks, "pk"),
    Check(
        "an invitation to a group is of one of its owners",
        invitation_faults.of_nobody_who_owns,
        "conversation",
        invitation_faults.erase_invitations,
    ),
    Check(
        "nobody takes part who is noted as removed",
        invitation_faults.of_participants,
        "conversation",
        invitation_faults.erase_removals,
    ),
    FoldedCheck(
        "people are found by the words of their names, and by no others",
        User.objects.all,
        wrongly_indexed_users,
        lock_user,
        reindex_users,
    ),
    FoldedCheck(
        "a group is found by its title",
        Conversation.objects.all,
        wrongly_indexed_groups,
        lock_group,
        reindex_groups,
    ),
)
