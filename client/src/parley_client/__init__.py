"""A typed client of Parley.

    with Parley.sign_in("https://chat.example.org", "ada", password) as parley:
        parley.conversations.start("grace").send("Tea at four?")

`AsyncParley` has the same methods as `Parley`, as coroutines. All exceptions are in
`parley_client.errors`.
"""

from parley_client import errors
from parley_client._async.catch_up import (
    AsyncCatchUpPage,
    AsyncUnreadConversation,
    AsyncUnreadThread,
)
from parley_client._async.client import AsyncParley
from parley_client._async.conversations import AsyncConversation
from parley_client._async.events import (
    AsyncConversationCreated,
    AsyncConversationReset,
    AsyncConversationUpdated,
    AsyncEvent,
    AsyncEventPage,
    AsyncEventStream,
    AsyncMessageCreated,
    AsyncMessageDeleted,
    AsyncMessageEdited,
    AsyncNotificationCreated,
    AsyncPolledEvent,
)
from parley_client._async.inbox import AsyncInboxPage, AsyncNotification
from parley_client._async.listing import AsyncListing
from parley_client._async.messages import AsyncMessage, AsyncReply, AsyncThread
from parley_client._sync.catch_up import CatchUpPage, UnreadConversation, UnreadThread
from parley_client._sync.client import Parley
from parley_client._sync.conversations import Conversation
from parley_client._sync.events import (
    ConversationCreated,
    ConversationReset,
    ConversationUpdated,
    Event,
    EventPage,
    EventStream,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    NotificationCreated,
    PolledEvent,
)
from parley_client._sync.inbox import InboxPage, Notification
from parley_client._sync.listing import Listing
from parley_client._sync.messages import Message, Reply, Thread
from parley_client.base import Page
from parley_client.errors import NoAnswerError, ParleyError, RefusedError
from parley_client.models import (
    Block,
    ConversationDeleted,
    Deletion,
    ExportLine,
    InboxSummary,
    Invitation,
    InvitationLine,
    Invited,
    IssuedInvitation,
    IssuedToken,
    MessageRead,
    MessageUnread,
    Participant,
    ParticipantAdded,
    ParticipantRemoved,
    PresenceChanged,
    Profile,
    Ready,
    Receipt,
    Reset,
    ServiceUser,
    Token,
    TypingChanged,
    User,
    UserUpdated,
    Version,
)

__all__ = [
    "AsyncCatchUpPage",
    "AsyncConversation",
    "AsyncConversationCreated",
    "AsyncConversationReset",
    "AsyncConversationUpdated",
    "AsyncEvent",
    "AsyncEventPage",
    "AsyncEventStream",
    "AsyncInboxPage",
    "AsyncListing",
    "AsyncMessage",
    "AsyncMessageCreated",
    "AsyncMessageDeleted",
    "AsyncMessageEdited",
    "AsyncNotification",
    "AsyncNotificationCreated",
    "AsyncParley",
    "AsyncPolledEvent",
    "AsyncReply",
    "AsyncThread",
    "AsyncUnreadConversation",
    "AsyncUnreadThread",
    "Block",
    "CatchUpPage",
    "Conversation",
    "ConversationCreated",
    "ConversationDeleted",
    "ConversationReset",
    "ConversationUpdated",
    "Deletion",
    "Event",
    "EventPage",
    "EventStream",
    "ExportLine",
    "InboxPage",
    "InboxSummary",
    "Invitation",
    "InvitationLine",
    "Invited",
    "IssuedInvitation",
    "IssuedToken",
    "Listing",
    "Message",
    "MessageCreated",
    "MessageDeleted",
    "MessageEdited",
    "MessageRead",
    "MessageUnread",
    "NoAnswerError",
    "Notification",
    "NotificationCreated",
    "Page",
    "Parley",
    "ParleyError",
    "Participant",
    "ParticipantAdded",
    "ParticipantRemoved",
    "PolledEvent",
    "PresenceChanged",
    "Profile",
    "Ready",
    "Receipt",
    "RefusedError",
    "Reply",
    "Reset",
    "ServiceUser",
    "Thread",
    "Token",
    "TypingChanged",
    "UnreadConversation",
    "UnreadThread",
    "User",
    "UserUpdated",
    "Version",
    "errors",
]
