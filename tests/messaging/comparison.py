"""The tables and the services' answers, compared with the model as a whole."""

from collections import defaultdict
from collections.abc import Mapping

from messaging.ids import ConversationId, UserId
from messaging.models import (
    Block,
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.services import history, summaries, threads
from messaging.services.catch_up import MOST_OF_ONE, Shown, catch_up
from messaging.services.inbox import inbox_summary, unread_messages
from messaging.services.receipts import receipt_page
from tests.messaging.reference_model import ModelConversation, ReferenceModel
from tests.proofs import readable_by

Users = Mapping[str, User]
# What a conversation's page shows, and the version that it is cached by.
Pages = dict[ConversationId, tuple[tuple[int], tuple[object, ...]]]


def compare(model: ReferenceModel) -> None:
    assert _stored_conversations() == {
        conversation.id: _conversation(conversation)
        for conversation in model.conversations.values()
    }
    assert _stored_messages() == {
        message.id: (
            (conversation.id, message.sequence, message.sender, message.parent),
            message.versions,
            message.read,
            len(conversation.replies(message.id)),
            {
                name: (one.kind, one.unread)
                for name, one in message.notifications.items()
                if one.stored
            },
        )
        for conversation in model.conversations.values()
        for message in conversation.messages.values()
    }
    assert _stored_blocks() == model.blocks
    assert set(User.objects.values_list("username", flat=True)) == model.usernames


def compare_reader(model: ReferenceModel, reader: User) -> None:
    """What one user is shown in their inbox and their list of conversations."""
    name = reader.username
    unread = model.unread(name)
    inbox = unread_messages(reader=reader, cursor=None, limit=200)
    assert [message.pk for message in inbox.page.items] == unread
    summary = inbox_summary(reader=UserId(reader.pk))
    assert summary.unread_count == len(unread)
    page = summaries.conversation_page(reader=UserId(reader.pk), cursor=None, limit=200)
    assert {one.id: one.unread_count for one in page.items} == {
        conversation.id: len(conversation.messages.keys() & set(unread))
        for conversation in model.conversations.values()
        if name in conversation.participants
    }
    badges = {
        conversation.id: model.badge(name, conversation)
        for conversation in model.conversations.values()
        if name in conversation.participants
    }
    assert {one.id: one.badge_count for one in page.items} == badges
    assert summary.badge_count == sum(badges.values())
    _compare_catch_up(reader, badges)


def _compare_catch_up(reader: User, badges: Mapping[int, int]) -> None:
    """What waits is what the badges count, each message once, in its own thread."""
    found = catch_up(
        reader=UserId(reader.pk), show=Shown.ALL, cursor=None, limit=200, messages=9999
    )
    assert found.badge_count == sum(badges.values())
    shown = {
        item.conversation.id: [
            each.message.pk for thread in item.threads for each in thread.notifications
        ]
        for item in found.items
    }
    assert {one: len({*ids}) for one, ids in shown.items()} == {
        one: min(badge, MOST_OF_ONE) for one, badge in badges.items() if badge
    }


def compare_message(
    conversation: ModelConversation, message_id: int, users: Users, step: int
) -> None:
    """What one participant is shown of a message: its versions and its replies."""
    name = list(conversation.participants)[step // 2 % len(conversation.participants)]
    reader = users[name]
    message = readable_by(reader, Message(pk=message_id))
    versions = history.version_page(
        message=message, reader=UserId(reader.pk), cursor=None, limit=200
    )
    contents = [version.content for version in versions.items]
    assert contents == conversation.visible(conversation.messages[message_id], name), (
        name
    )
    receipts = receipt_page(message=message, cursor=None, limit=200)
    assert {
        receipt.user.username: receipt.read for receipt in receipts.items
    } == conversation.messages[message_id].receipts()
    descendants = list(conversation.descendants(message_id))
    tree = threads.thread(root=message, depth=50, nodes=2000)
    assert tree.descendant_count == len(descendants)
    replies = threads.reply_page(root=message, cursor=None, limit=200)
    assert [(one.pk, one.depth) for one in replies.items] == descendants


def shown_pages() -> Pages:
    lines: dict[int, list[object]] = defaultdict(list)
    for row in Message.objects.order_by("sequence").values_list(
        *("conversation", "sequence", "sender", "receiver", "content", "read"),
        *("edited", "parent_message", "reply_count", "sender__display_name"),
    ):
        lines[row[0]].append(row[1:])
    return {
        ConversationId(pk): ((version,), (title, *lines[pk]))
        for pk, version, title in Conversation.objects.values_list(
            "pk", "version", "title"
        )
    }


def compare_pages(before: Pages, after: Pages) -> None:
    """A page that changed has another version, and versions never go back."""
    for conversation_id in before.keys() & after.keys():
        old, new = before[conversation_id], after[conversation_id]
        assert all(was <= now for was, now in zip(old[0], new[0], strict=True))
        assert old[1] == new[1] or old[0] != new[0], (old, new)


def _conversation(conversation: ModelConversation) -> tuple[object, ...]:
    participants = [
        (name, "owner" if name in conversation.owners else "member")
        for name in conversation.participants
    ]
    return (
        "direct" if conversation.direct else "group",
        conversation.last_sequence,
        sorted(participants) if conversation.direct else participants,
    )


def _stored_conversations() -> dict[int, tuple[object, ...]]:
    participants: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for conversation, name, role in Participant.objects.longest_first().values_list(
        "conversation", "user__username", "role"
    ):
        participants[conversation].append((name, role))
    return {
        pk: (
            kind,
            last,
            sorted(participants[pk]) if kind == "direct" else participants[pk],
        )
        for pk, kind, last in Conversation.objects.values_list(
            "pk", "kind", "last_sequence"
        )
    }


def _stored_messages() -> dict[int, tuple[object, ...]]:
    versions: dict[int, list[str]] = defaultdict(list)
    for message, content in MessageHistory.objects.order_by("version").values_list(
        "message", "old_content"
    ):
        versions[message].append(content)
    notifications: dict[int, dict[str, tuple[str, bool]]] = defaultdict(dict)
    for message, name, kind, is_read in Notification.objects.values_list(
        "message", "user__username", "kind", "is_read"
    ):
        notifications[message][name] = (kind, not is_read)
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
            notifications[row.pk],
        )
        for row in Message.objects.select_related("sender")
    }


def _stored_blocks() -> set[tuple[str, str]]:
    return set(Block.objects.values_list("blocker__username", "blocked__username"))
