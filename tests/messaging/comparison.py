"""The tables and the services' answers, compared with the model as a whole."""

from collections import defaultdict
from collections.abc import Mapping

from messaging.ids import ConversationId, UserId
from messaging.models import (
    Block,
    Conversation,
    Installation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.services import history, summaries, threads
from messaging.services.inbox import inbox_summary, unread_messages
from tests.messaging.world import Room, World
from tests.proofs import readable_by

People = Mapping[str, User]
# What a conversation's page shows, and the version that it is cached by.
Shown = dict[ConversationId, tuple[tuple[int, int], tuple[object, ...]]]


def compare(world: World) -> None:
    assert _stored_rooms() == {room.id: _room(room) for room in world.rooms.values()}
    assert _stored_letters() == {
        letter.id: (
            (room.id, letter.sequence, letter.sender, letter.parent),
            letter.versions,
            letter.read,
            len(room.replies(letter.id)),
            {name: (one.kind, one.unread) for name, one in letter.notices.items()},
        )
        for room in world.rooms.values()
        for letter in room.letters.values()
    }
    assert _stored_blocks() == world.blocks
    assert set(User.objects.values_list("username", flat=True)) == world.people


def compare_reader(world: World, reader: User) -> None:
    """What one person reads of their inbox and their list."""
    name = reader.username
    unread = world.unread(name)
    inbox = unread_messages(reader=reader, cursor=None, limit=200)
    assert [message.pk for message in inbox.page.items] == unread
    summary = inbox_summary(reader=UserId(reader.pk))
    assert summary.unread_count == len(unread)
    page = summaries.conversation_page(reader=UserId(reader.pk), cursor=None, limit=200)
    assert {one.conversation.pk: one.unread_count for one in page.items} == {
        room.id: len(room.letters.keys() & set(unread))
        for room in world.rooms.values()
        if name in room.members
    }


def compare_letter(room: Room, letter_id: int, people: People, turn: int) -> None:
    """What somebody there reads of a message: its versions and its tree."""
    name = list(room.members)[turn // 2 % len(room.members)]
    reader = people[name]
    message = readable_by(reader, Message(pk=letter_id))
    versions = history.version_page(
        message=message, reader=UserId(reader.pk), cursor=None, limit=200
    )
    contents = [version.content for version in versions.items]
    assert contents == room.visible(room.letters[letter_id], name), name
    below = list(room.below(letter_id))
    tree = threads.thread(root=message, depth=50, nodes=2000)
    assert tree.descendant_count == len(below)
    replies = threads.reply_page(root=message, cursor=None, limit=200)
    assert [(one.pk, one.depth) for one in replies.items] == below


def shown_pages() -> Shown:
    names = Installation.objects.values_list("names", flat=True).get()
    lines: dict[int, list[object]] = defaultdict(list)
    for row in Message.objects.order_by("sequence").values_list(
        *("conversation", "sequence", "sender", "receiver", "content", "read"),
        *("edited", "parent_message", "reply_count", "sender__display_name"),
    ):
        lines[row[0]].append(row[1:])
    return {
        ConversationId(pk): ((version, names), (title, *lines[pk]))
        for pk, version, title in Conversation.objects.values_list(
            "pk", "version", "title"
        )
    }


def compare_pages(before: Shown, after: Shown) -> None:
    """Another page has another version, and a version never comes again."""
    for conversation_id in before.keys() & after.keys():
        old, new = before[conversation_id], after[conversation_id]
        assert all(was <= now for was, now in zip(old[0], new[0], strict=True))
        assert old[1] == new[1] or old[0] != new[0], (old, new)


def _room(room: Room) -> tuple[object, ...]:
    members = [
        (name, "owner" if name == room.owner else "member") for name in room.members
    ]
    return (
        "direct" if room.direct else "group",
        room.last_sequence,
        sorted(members) if room.direct else members,
    )


def _stored_rooms() -> dict[int, tuple[object, ...]]:
    parts: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for conversation, name, role in Participant.objects.longest_first().values_list(
        "conversation", "user__username", "role"
    ):
        parts[conversation].append((name, role))
    return {
        pk: (kind, last, sorted(parts[pk]) if kind == "direct" else parts[pk])
        for pk, kind, last in Conversation.objects.values_list(
            "pk", "kind", "last_sequence"
        )
    }


def _stored_letters() -> dict[int, tuple[object, ...]]:
    versions: dict[int, list[str]] = defaultdict(list)
    for message, content in MessageHistory.objects.order_by("version").values_list(
        "message", "old_content"
    ):
        versions[message].append(content)
    notices: dict[int, dict[str, tuple[str, bool]]] = defaultdict(dict)
    for message, name, kind, is_read in Notification.objects.values_list(
        "message", "user__username", "kind", "is_read"
    ):
        notices[message][name] = (kind, not is_read)
    return {
        row.pk: (
            (
                row.conversation_id,
                row.sequence,
                row.sender.username if row.sender else None,
                row.parent_message_id,
            ),
            [*versions[row.pk], row.content],
            row.read,
            row.reply_count,
            notices[row.pk],
        )
        for row in Message.objects.select_related("sender")
    }


def _stored_blocks() -> set[tuple[str, str]]:
    return set(Block.objects.values_list("blocker__username", "blocked__username"))
