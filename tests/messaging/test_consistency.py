"""Every promise that check_consistency verifies: broken, found, repaired, kept again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import RemoveConstraint
from django.db.migrations.loader import MigrationLoader
from django.db.models import F
from django.utils import timezone

from messaging import access
from messaging.ids import MessageId, UserId
from messaging.models import (
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.models.messages import TOMBSTONE
from messaging.services import invariant_checks, messages
from messaging.services.consistency import find_inconsistencies, repair_inconsistencies
from messaging.services.conversations import start_group
from messaging.services.invariant_checks import LISTED_IDS
from messaging.services.notifications import mark_message_read
from tests.conftest import MakeUser
from tests.rows import erase, insert, overwrite


@dataclass(frozen=True, slots=True)
class Data:
    """A group of three with a tree in it, and a direct conversation with a stranger."""

    group: Conversation
    direct: Conversation
    # Ann's, edited once; Bob's reply to it; the tombstone with Cleo's reply below.
    root: Message
    reply: Message
    tombstone: Message
    leaf: Message


@pytest.fixture
def data(ann: User, bob: User, cleo: User, make_user: MakeUser) -> Data:
    group = start_group(owner=ann, title="G", usernames=["bob", "cleo"]).conversation
    root = Message.objects.create(sender=ann, conversation=group, content="root")
    root.content = "root, edited"
    root.save()
    reply = Message.objects.create(
        sender=bob, conversation=group, content="reply", parent_message=root
    )
    tombstone = Message.objects.create(
        sender=bob, conversation=group, content="gone", parent_message=root
    )
    leaf = Message.objects.create(
        sender=cleo, conversation=group, content="leaf", parent_message=tombstone
    )
    own = access.own_message(sender=UserId(bob.pk), message_id=MessageId(tombstone.pk))
    messages.delete_message(message=own)
    seen = access.received_message(
        reader=UserId(ann.pk), message_id=MessageId(reply.pk)
    )
    mark_message_read(message=seen, reader=UserId(ann.pk))
    direct = Message.objects.create(
        sender=ann, receiver=make_user("dora"), content="direct"
    ).conversation
    return Data(group, direct, root, reply, tombstone, leaf)


Corrupt = Callable[[Data], int]


def message_row(message: Message) -> "MessageRow":
    return MessageRow(message.pk)


class MessageRow:
    """Writes a message's row as the code never does."""

    def __init__(self, message_id: int) -> None:
        self.queryset = Message.objects.filter(pk=message_id)

    def set(self, **values: object) -> int:
        overwrite(self.queryset, **values)
        return self.queryset.get().pk


def last_sequence_behind(data: Data) -> int:
    overwrite(Conversation.objects.filter(pk=data.group.pk), last_sequence=2)
    return data.group.pk


def orphan_tombstones(data: Data) -> int:
    """A tombstone whose only reply is a tombstone without any."""
    erase(Notification.objects.filter(message=data.leaf))
    overwrite(Message.objects.filter(pk=data.leaf.pk), **TOMBSTONE)
    return data.tombstone.pk


def tombstone_with_history(data: Data) -> int:
    insert(
        MessageHistory(
            message=data.tombstone,
            conversation=data.group,
            version=1,
            old_content="secret",
            edited_by_id=data.leaf.sender_id or 0,
        )
    )
    return data.tombstone.pk


def tombstone_with_notification(data: Data) -> int:
    notification = Notification.objects.filter(user__username="ann").first()
    assert notification is not None
    notification.pk = None
    notification.message = data.tombstone
    notification.is_read = True
    insert(notification)
    return data.tombstone.pk


def tombstone_with_external_id(data: Data) -> int:
    return message_row(data.tombstone).set(external_id="chat/ann/1")


def replies_overcounted(data: Data) -> int:
    return message_row(data.root).set(reply_count=7)


def replies_undercounted(data: Data) -> int:
    return message_row(data.root).set(reply_count=0)


def version_too_low(data: Data) -> int:
    return message_row(data.root).set(content_version=1, edited=False)


def version_elsewhere(data: Data) -> int:
    kept = MessageHistory.objects.get(message=data.root)
    overwrite(MessageHistory.objects.filter(pk=kept.pk), conversation=data.direct)
    return kept.pk


def notification_elsewhere(data: Data) -> int:
    notification = Notification.objects.get(message=data.reply, user__username="cleo")
    overwrite(Notification.objects.filter(pk=notification.pk), conversation=data.direct)
    return notification.pk


def notification_of_a_stranger(data: Data) -> int:
    notification = Notification.objects.get(message=data.leaf, user__username="ann")
    stranger = User.objects.get(username="dora")
    overwrite(Notification.objects.filter(pk=notification.pk), user=stranger)
    return notification.pk


def notification_of_the_sender(data: Data) -> int:
    notification = Notification.objects.get(message=data.leaf, user__username="ann")
    overwrite(Notification.objects.filter(pk=notification.pk), user=data.leaf.sender_id)
    return notification.pk


def read_too_early(data: Data) -> int:
    return message_row(data.root).set(read=True)


def read_too_late(data: Data) -> int:
    overwrite(Notification.objects.filter(message=data.reply), is_read=True)
    return data.reply.pk


def nobody_owns(data: Data) -> int:
    overwrite(Participant.objects.filter(conversation=data.group), role="member")
    return data.group.pk


def active_in_the_future(data: Data) -> int:
    far = timezone.now() + timedelta(days=365)
    overwrite(Conversation.objects.filter(pk=data.group.pk), last_activity_at=far)
    return data.group.pk


_TOMBSTONE_KEEPS_NOTHING = (
    "a tombstone keeps no history, no notification and no id of an import"
)

REPAIRABLE: tuple[tuple[Corrupt, str], ...] = (
    (last_sequence_behind, "no sequence is beyond its conversation's last"),
    (active_in_the_future, "no conversation was last active in the future"),
    (orphan_tombstones, "below every tombstone a message survives"),
    (tombstone_with_history, _TOMBSTONE_KEEPS_NOTHING),
    (tombstone_with_notification, _TOMBSTONE_KEEPS_NOTHING),
    (tombstone_with_external_id, _TOMBSTONE_KEEPS_NOTHING),
    (replies_overcounted, "reply_count is the number of replies"),
    (replies_undercounted, "reply_count is the number of replies"),
    (version_too_low, "content_version is one more than the versions kept"),
    (version_elsewhere, "a kept version names its message's conversation"),
    (notification_elsewhere, "a notification names its message's conversation"),
    (
        notification_of_a_stranger,
        "only participants are notified, and never the sender",
    ),
    (
        notification_of_the_sender,
        "only participants are notified, and never the sender",
    ),
    (read_too_early, "a message is read when no unread notification of it is left"),
    (read_too_late, "a message is read when no unread notification of it is left"),
    (nobody_owns, "a group has an owner"),
)


def parent_missing(data: Data) -> int:
    return message_row(data.leaf).set(parent_message=10**9)


def parent_elsewhere(data: Data) -> int:
    return message_row(Message.objects.get(conversation=data.direct)).set(
        parent_message=data.root
    )


def parent_later(data: Data) -> int:
    return message_row(data.root).set(parent_message=data.leaf)


def version_lost(data: Data) -> int:
    return message_row(data.root).set(content_version=3)


def version_between_lost(data: Data) -> int:
    overwrite(MessageHistory.objects.filter(message=data.root), version=4)
    return data.root.pk


def stranger_in_a_direct_conversation(data: Data) -> int:
    insert(
        Participant(conversation=data.direct, user=User.objects.get(username="cleo"))
    )
    return data.direct.pk


def half_of_a_pair(data: Data) -> int:
    dora = Participant.objects.filter(conversation=data.direct, user__username="dora")
    erase(Notification.objects.filter(conversation=data.direct))
    overwrite(Message.objects.filter(conversation=data.direct), read=True)
    erase(dora)
    return data.direct.pk


def group_of_nobody(data: Data) -> int:
    erase(Notification.objects.filter(conversation=data.group))
    overwrite(Message.objects.filter(conversation=data.group), read=True)
    erase(Participant.objects.filter(conversation=data.group))
    return data.group.pk


REPORTED: tuple[tuple[Corrupt, str], ...] = (
    (parent_missing, "every parent exists"),
    (parent_elsewhere, "a parent is of the same conversation"),
    (parent_later, "a parent came before its replies"),
    (version_lost, "content_version is one more than the versions kept"),
    (version_between_lost, "content_version is one more than the versions kept"),
    (
        stranger_in_a_direct_conversation,
        "a direct conversation has its two people as participants",
    ),
    (half_of_a_pair, "a direct conversation has its two people as participants"),
    (group_of_nobody, "a group has an owner"),
)


def findings() -> dict[str, list[int]]:
    return {finding.promise: list(finding.ids) for finding in find_inconsistencies()}


def versions() -> dict[int, int]:
    return dict(Conversation.objects.values_list("pk", "version"))


def test_what_the_code_writes_is_consistent(data: Data) -> None:
    before = versions()
    assert findings() == {}
    assert list(repair_inconsistencies()) == []
    assert versions() == before


@pytest.mark.parametrize(("corrupt", "promise"), REPAIRABLE)
def test_derived_values_are_checked_and_repaired(
    data: Data, corrupt: Corrupt, promise: str
) -> None:
    faulty = corrupt(data)
    assert faulty in findings()[promise]
    before = versions()
    repairs = {repair.promise: repair.count for repair in repair_inconsistencies()}
    assert repairs[promise] >= 1
    assert findings() == {}
    # Its pages are renewed, and no others.
    assert versions()[data.group.pk] > before[data.group.pk]
    assert versions()[data.direct.pk] == before[data.direct.pk]


@pytest.mark.parametrize(("corrupt", "promise"), REPORTED)
def test_what_cannot_be_derived_is_reported_and_not_repaired(
    data: Data, corrupt: Corrupt, promise: str
) -> None:
    faulty = corrupt(data)
    assert faulty in findings()[promise]
    assert promise not in {repair.promise for repair in repair_inconsistencies()}
    assert faulty in findings()[promise]
    # What would break the foreign key when the test ends.
    overwrite(Message.objects.all(), parent_message=None)


@pytest.mark.django_db(transaction=True)
def test_a_sequence_given_twice_is_found(data: Data) -> None:
    with without_constraint("message", "message_sequence_once"):
        message_row(data.reply).set(sequence=data.tombstone.sequence)
        found = findings()
        repaired = list(repair_inconsistencies())
        message_row(data.reply).set(sequence=data.reply.sequence)
    assert found == {
        "no two messages of a conversation have one sequence": [data.tombstone.pk]
    }
    assert repaired == []


@contextmanager
def without_constraint(model: str, name: str) -> Iterator[None]:
    removal = RemoveConstraint(model, name)
    before = MigrationLoader(connection).project_state()
    after = before.clone()
    removal.state_forwards("messaging", after)
    with connection.schema_editor() as editor:
        removal.database_forwards("messaging", editor, before, after)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            removal.database_backwards("messaging", editor, after, before)


def test_repairs_restore_the_very_rows(data: Data) -> None:
    before = snapshot()
    for corrupt in (
        replies_overcounted,
        version_too_low,
        version_elsewhere,
        notification_elsewhere,
        read_too_early,
        nobody_owns,
        last_sequence_behind,
    ):
        corrupt(data)
    assert list(repair_inconsistencies())
    # A group without owner passes to its longest member, who had it here.
    assert snapshot() == before


def snapshot() -> list[object]:
    return [
        list(Message.objects.order_by("pk").values()),
        list(MessageHistory.objects.order_by("pk").values()),
        list(Notification.objects.order_by("pk").values()),
        list(Participant.objects.order_by("pk").values()),
        list(Conversation.objects.order_by("pk").values_list("pk", "last_sequence")),
    ]


def test_no_message_goes_with_the_orphan_tombstones(data: Data) -> None:
    orphan_tombstones(data)
    list(repair_inconsistencies())
    kept = set(Message.objects.values_list("pk", flat=True))
    assert kept >= {data.root.pk, data.reply.pk}
    assert kept.isdisjoint({data.tombstone.pk, data.leaf.pk})
    assert Message.objects.get(pk=data.root.pk).reply_count == 1


def test_several_owners_are_no_fault(data: Data) -> None:
    cleo = Participant.objects.filter(conversation=data.group, user__username="cleo")
    overwrite(cleo, role="owner")
    assert list(find_inconsistencies()) == []


@pytest.mark.parametrize("corrupt", [version_lost, version_between_lost])
def test_a_version_never_comes_to_name_another_content(
    data: Data, corrupt: Corrupt
) -> None:
    corrupt(data)
    before = snapshot()
    list(repair_inconsistencies())
    assert snapshot() == before


def test_only_the_first_ids_are_named(ann: User, bob: User) -> None:
    for _ in range(LISTED_IDS + 5):
        Message.objects.create(sender=ann, receiver=bob, content="hi")
    overwrite(Message.objects.all(), reply_count=F("reply_count") + 1)
    (finding,) = find_inconsistencies()
    assert finding.count == LISTED_IDS + 5
    assert len(finding.ids) == LISTED_IDS
    (repair,) = repair_inconsistencies()
    assert repair.count == LISTED_IDS + 5


def test_conversations_beyond_one_batch_are_repaired_too(
    ann: User, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invariant_checks, "_BATCH", 2)
    for number in range(5):
        Message.objects.create(
            sender=ann, receiver=make_user(f"p{number}"), content="hi"
        )
    overwrite(Message.objects.all(), read=True)
    assert [repair.count for repair in repair_inconsistencies()] == [5]
    assert findings() == {}


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("check_consistency", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_that_all_is_well(data: Data) -> None:
    assert run() == "The database is consistent.\n"


def test_the_command_fails_on_a_finding_and_says_which(data: Data) -> None:
    faulty = replies_overcounted(data)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("check_consistency", stdout=out)
    expected = (
        f"broken by 1 message: reply_count is the number of replies (id {faulty})"
    )
    assert out.getvalue() == f"{expected}\n"
    assert Message.objects.get(pk=faulty).reply_count == 7


def test_the_command_says_what_it_repaired(data: Data) -> None:
    replies_overcounted(data)
    assert run("--fix") == (
        "repaired 1 message: reply_count is the number of replies\n"
        "The database is consistent.\n"
    )


def test_the_command_fails_on_what_it_cannot_repair(data: Data) -> None:
    parent_later(data)
    with pytest.raises(CommandError):
        run("--fix")
