"""A program that uses much of the client; there is no Any in it anywhere."""

from typing import assert_never, assert_type

import anyio

from parley_client import (
    AsyncConversation,
    AsyncMessage,
    AsyncParley,
    Conversation,
    ConversationCreated,
    ConversationDeleted,
    ConversationReset,
    ConversationUpdated,
    Event,
    ExportLine,
    InboxPage,
    InboxSummary,
    Listing,
    Message,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    MessageRead,
    MessageUnread,
    Notification,
    NotificationCreated,
    Page,
    Parley,
    ParticipantAdded,
    ParticipantRemoved,
    PresenceChanged,
    Ready,
    RefusedError,
    Reply,
    Reset,
    Thread,
    TypingChanged,
    User,
    UserUpdated,
    Version,
    errors,
)


def talk(parley: Parley) -> None:
    conversation = parley.conversations.start("bob")
    assert_type(conversation, Conversation)
    message = conversation.send("hello")
    assert_type(message, Message)
    assert_type(message.reply("again").edit("and again"), Message)
    assert_type(message.sender, User | None)
    assert_type(message.thread(), Thread)
    assert_type(message.thread().replies[0].reply("deep"), Message)
    assert_type(message.all_replies(), Listing[Reply])
    assert_type(message.history().all(), list[Version])
    assert_type(conversation.messages().page(), Page[Message])
    assert_type(conversation.last_message, Message | None)
    for found in conversation.messages(page_size=10):
        assert_type(found, Message)


def read(parley: Parley) -> list[str]:
    assert_type(parley.inbox.page(), InboxPage)
    assert_type(parley.inbox.page().items[0].reply("yes"), Message)
    assert_type(parley.inbox.summary(), InboxSummary)
    notification = parley.notifications.list().first()
    assert_type(notification, Notification | None)
    if notification is not None:
        assert_type(notification.message, Message)
    for waiting in parley.catch_up:
        assert_type(waiting.conversation, Conversation)
        assert_type(waiting.threads[0].root, Message | None)
        assert_type(waiting.messages, list[Message])
    for line in parley.me.export():
        assert_type(line, ExportLine)
    return [message.content for message in parley.inbox]


def refused(error: RefusedError) -> str:
    assert_type(error.code, str)
    assert_type(error.retry_after, float | None)
    match error:
        case errors.NotAuthenticatedError():
            return "sign in"
        case errors.NotFoundError():
            return "gone"
        case _:
            return ", ".join(wrong.pointer for wrong in error.errors)


def described(event: Event) -> str:
    """Every type of event: one that is forgotten is an error here."""
    match event:
        case MessageCreated(message=message) | MessageEdited(message=message):
            assert_type(message, Message)
            return message.content
        case MessageDeleted(message=tombstone):
            assert_type(tombstone, Message | None)
            return event.type
        case MessageRead(reader=reader) | MessageUnread(reader=reader):
            return reader.username
        case NotificationCreated(notification=notification):
            assert_type(notification, Notification)
            return notification.message.content
        case (
            ConversationCreated(conversation=conversation)
            | ConversationUpdated(conversation=conversation)
            | ConversationReset(conversation=conversation)
        ):
            assert_type(conversation, Conversation)
            return conversation.title
        case ParticipantAdded(user=user) | ParticipantRemoved(user=user):
            return user.username
        case UserUpdated(user=user) | PresenceChanged(user=user):
            return user.display_name
        case TypingChanged():
            return f"{event.user.username} {event.typing}"
        case ConversationDeleted() | Ready() | Reset():
            return event.type
        case _:
            assert_never(event)


def listen(parley: Parley) -> None:
    with parley.events(after=None) as events:
        for event in events:
            described(event)
            assert_type(events.cursor, str | None)


async def meanwhile(url: str, password: str) -> None:
    async with await AsyncParley.sign_in(url, "ann", password) as parley:
        conversation = await parley.conversations.start("bob")
        assert_type(conversation, AsyncConversation)
        assert_type(await conversation.send("hello"), AsyncMessage)
        async for message in conversation.messages():
            assert_type(await message.reply("again"), AsyncMessage)
        async for event in parley.events():
            last: str = event.type
            assert last != ""


def main() -> None:
    with Parley("https://chat.example.org", token="secret") as parley:
        talk(parley)
        read(parley)
        listen(parley)
    anyio.run(meanwhile, "https://chat.example.org", "secret")
