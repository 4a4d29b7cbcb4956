"""Every promise that check_consistency verifies: broken, found, repaired, kept again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import RemoveConstraint
from django.db.migrations.loader import MigrationLoader
from django.db.models import F

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
from messaging.services import consistency, messages
from messaging.services.consistency import find_inconsistencies, repair_inconsistencies
from messaging.services.conversations import start_group
from messaging.services.notifications import mark_message_read
from tests.conftest import MakeUser


@dataclass(frozen=True, slots=True)
class World:
    """A group of three with a tree in it, and a direct conversation with a stranger."""

    group: Conversation
    direct: Conversation
    # Ann's, edited once; Bob's reply to it; the tombstone with Cleo's reply below.
    root: Message
    reply: Message
    tombstone: Message
    leaf: Message


@pytest.fixture
def world(ann: User, bob: User, cleo: User, make_user: MakeUser) -> World:
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
    return World(group, direct, root, reply, tombstone, leaf)


Plant = Callable[[World], int]


def rows(message: Message) -> "Messages":
    return Messages(message.pk)


class Messages:
    """Writes a message's row as the code never does."""

    def __init__(self, message_id: int) -> None:
        self.queryset = Message.objects.filter(pk=message_id)

    def set(self, **values: object) -> int:
        self.queryset.update(**values)
        return self.queryset.get().pk


def last_sequence_behind(world: World) -> int:
    Conversation.objects.filter(pk=world.group.pk).update(last_sequence=2)
    return world.group.pk


def orphan_tombstones(world: World) -> int:
    """A tombstone whose only reply is a tombstone without any."""
    Notification.objects.filter(message=world.leaf).delete()
    Message.objects.filter(pk=world.leaf.pk).turn_into_tombstones()
    return world.tombstone.pk


def tombstone_with_history(world: World) -> int:
    MessageHistory.objects.create(
        message=world.tombstone,
        version=1,
        old_content="secret",
        edited_by_id=world.leaf.sender_id or 0,
    )
    return world.tombstone.pk


def tombstone_with_notification(world: World) -> int:
    notification = Notification.objects.filter(user__username="ann").first()
    assert notification is not None
    notification.pk = None
    notification.message = world.tombstone
    notification.is_read = True
    notification.save()
    return world.tombstone.pk


def replies_overcounted(world: World) -> int:
    return rows(world.root).set(reply_count=7)


def replies_undercounted(world: World) -> int:
    return rows(world.root).set(reply_count=0)


def version_too_low(world: World) -> int:
    return rows(world.root).set(content_version=1, edited=False)


def notification_elsewhere(world: World) -> int:
    notification = Notification.objects.get(message=world.reply, user__username="cleo")
    Notification.objects.filter(pk=notification.pk).update(conversation=world.direct)
    return notification.pk


def notification_of_a_stranger(world: World) -> int:
    notification = Notification.objects.get(message=world.leaf, user__username="ann")
    stranger = User.objects.get(username="dora")
    Notification.objects.filter(pk=notification.pk).update(user=stranger)
    return notification.pk


def notification_of_the_sender(world: World) -> int:
    notification = Notification.objects.get(message=world.leaf, user__username="ann")
    Notification.objects.filter(pk=notification.pk).update(user=world.leaf.sender_id)
    return notification.pk


def read_too_early(world: World) -> int:
    return rows(world.root).set(read=True)


def read_too_late(world: World) -> int:
    Notification.objects.filter(message=world.reply).update(is_read=True)
    return world.reply.pk


def nobody_owns(world: World) -> int:
    Participant.objects.filter(conversation=world.group).update(role="member")
    return world.group.pk


def two_own(world: World) -> int:
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX participant_one_owner")
    cleo = Participant.objects.filter(conversation=world.group, user__username="cleo")
    cleo.update(role="owner")
    return world.group.pk


REPAIRABLE: tuple[tuple[Plant, str], ...] = (
    (last_sequence_behind, "no sequence is beyond its conversation's last"),
    (orphan_tombstones, "below every tombstone a message survives"),
    (tombstone_with_history, "a tombstone keeps no history and no notification"),
    (tombstone_with_notification, "a tombstone keeps no history and no notification"),
    (replies_overcounted, "reply_count is the number of replies"),
    (replies_undercounted, "reply_count is the number of replies"),
    (version_too_low, "content_version is one more than the versions kept"),
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
    (nobody_owns, "a group has one owner"),
    (two_own, "a group has one owner"),
)


def parent_missing(world: World) -> int:
    return rows(world.leaf).set(parent_message=10**9)


def parent_elsewhere(world: World) -> int:
    return rows(Message.objects.get(conversation=world.direct)).set(
        parent_message=world.root
    )


def parent_later(world: World) -> int:
    return rows(world.root).set(parent_message=world.leaf)


def version_lost(world: World) -> int:
    return rows(world.root).set(content_version=3)


def version_between_lost(world: World) -> int:
    MessageHistory.objects.filter(message=world.root).update(version=4)
    return world.root.pk


def stranger_in_a_direct_conversation(world: World) -> int:
    Participant.objects.create(
        conversation=world.direct, user=User.objects.get(username="cleo")
    )
    return world.direct.pk


def half_of_a_pair(world: World) -> int:
    dora = Participant.objects.filter(conversation=world.direct, user__username="dora")
    Notification.objects.filter(conversation=world.direct).delete()
    Message.objects.filter(conversation=world.direct).update(read=True)
    dora.delete()
    return world.direct.pk


def group_of_nobody(world: World) -> int:
    Notification.objects.filter(conversation=world.group).delete()
    Message.objects.filter(conversation=world.group).update(read=True)
    Participant.objects.filter(conversation=world.group).delete()
    return world.group.pk


REPORTED: tuple[tuple[Plant, str], ...] = (
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
    (group_of_nobody, "a group has one owner"),
)


def findings() -> dict[str, list[int]]:
    return {finding.promise: list(finding.ids) for finding in find_inconsistencies()}


def versions() -> dict[int, int]:
    return dict(Conversation.objects.values_list("pk", "version"))


def test_what_the_code_writes_is_consistent(world: World) -> None:
    before = versions()
    assert findings() == {}
    assert list(repair_inconsistencies()) == []
    assert versions() == before


@pytest.mark.parametrize(("plant", "promise"), REPAIRABLE)
def test_what_follows_from_other_rows_is_found_and_repaired(
    world: World, plant: Plant, promise: str
) -> None:
    faulty = plant(world)
    assert faulty in findings()[promise]
    before = versions()
    repairs = {repair.promise: repair.count for repair in repair_inconsistencies()}
    assert repairs[promise] >= 1
    assert findings() == {}
    # Its pages are renewed, and no others.
    assert versions()[world.group.pk] > before[world.group.pk]
    assert versions()[world.direct.pk] == before[world.direct.pk]


@pytest.mark.parametrize(("plant", "promise"), REPORTED)
def test_what_nothing_tells_is_reported_and_left(
    world: World, plant: Plant, promise: str
) -> None:
    faulty = plant(world)
    assert faulty in findings()[promise]
    assert promise not in {repair.promise for repair in repair_inconsistencies()}
    assert faulty in findings()[promise]
    # What would break the foreign key when the test ends.
    Message.objects.update(parent_message=None)


@pytest.mark.django_db(transaction=True)
def test_a_sequence_given_twice_is_found(world: World) -> None:
    with without_constraint("message", "message_sequence_once"):
        rows(world.reply).set(sequence=world.tombstone.sequence)
        found = findings()
        repaired = list(repair_inconsistencies())
        rows(world.reply).set(sequence=world.reply.sequence)
    assert found == {
        "no two messages of a conversation have one sequence": [world.tombstone.pk]
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


def test_repairs_restore_the_very_rows(world: World) -> None:
    before = snapshot()
    for plant in (
        replies_overcounted,
        version_too_low,
        notification_elsewhere,
        read_too_early,
        nobody_owns,
        last_sequence_behind,
    ):
        plant(world)
    assert list(repair_inconsistencies())
    # A group without owner passes to its longest member, who had it here.
    assert snapshot() == before


def snapshot() -> list[object]:
    return [
        list(Message.objects.order_by("pk").values()),
        list(Notification.objects.order_by("pk").values()),
        list(Participant.objects.order_by("pk").values()),
        list(Conversation.objects.order_by("pk").values_list("pk", "last_sequence")),
    ]


def test_no_message_goes_with_the_orphan_tombstones(world: World) -> None:
    orphan_tombstones(world)
    list(repair_inconsistencies())
    kept = set(Message.objects.values_list("pk", flat=True))
    assert kept >= {world.root.pk, world.reply.pk}
    assert kept.isdisjoint({world.tombstone.pk, world.leaf.pk})
    assert Message.objects.get(pk=world.root.pk).reply_count == 1


def test_the_longest_of_several_owners_keeps_the_group(world: World) -> None:
    two_own(world)
    list(repair_inconsistencies())
    owner = Participant.objects.get(conversation=world.group, role="owner")
    assert owner.user.username == "ann"


@pytest.mark.parametrize("plant", [version_lost, version_between_lost])
def test_a_version_never_comes_to_name_another_content(
    world: World, plant: Plant
) -> None:
    plant(world)
    before = snapshot()
    list(repair_inconsistencies())
    assert snapshot() == before


def test_only_the_first_ids_are_named(ann: User, bob: User) -> None:
    for _ in range(consistency.SHOWN + 5):
        Message.objects.create(sender=ann, receiver=bob, content="hi")
    Message.objects.update(reply_count=F("reply_count") + 1)
    (finding,) = find_inconsistencies()
    assert finding.count == consistency.SHOWN + 5
    assert len(finding.ids) == consistency.SHOWN
    (repair,) = repair_inconsistencies()
    assert repair.count == consistency.SHOWN + 5


def test_conversations_beyond_one_batch_are_repaired_too(
    ann: User, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consistency, "_BATCH", 2)
    for number in range(5):
        Message.objects.create(
            sender=ann, receiver=make_user(f"p{number}"), content="hi"
        )
    Message.objects.update(read=True)
    assert [repair.count for repair in repair_inconsistencies()] == [5]
    assert findings() == {}


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("check_consistency", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_that_all_is_well(world: World) -> None:
    assert run() == "The database is consistent.\n"


def test_the_command_fails_on_a_finding_and_says_which(world: World) -> None:
    faulty = replies_overcounted(world)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("check_consistency", stdout=out)
    expected = (
        f"broken by 1 message: reply_count is the number of replies (id {faulty})"
    )
    assert out.getvalue() == f"{expected}\n"
    assert Message.objects.get(pk=faulty).reply_count == 7


def test_the_command_says_what_it_repaired(world: World) -> None:
    replies_overcounted(world)
    assert run("--fix") == (
        "repaired 1 message: reply_count is the number of replies\n"
        "The database is consistent.\n"
    )


def test_the_command_fails_on_what_it_cannot_repair(world: World) -> None:
    parent_later(world)
    with pytest.raises(CommandError):
        run("--fix")
