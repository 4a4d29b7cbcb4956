"""All models: the tables, their constraints and their indexes, with the reason for each index."""

from messaging.models.blocks import Block
from messaging.models.conversations import Conversation, Participant, Removal
from messaging.models.credentials import InviteCode, ServiceToken
from messaging.models.events import Event, LastSeen, Presence, Typing
from messaging.models.exports import ExportLease
from messaging.models.idempotency import IdempotencyKey
from messaging.models.imports import ImportedMessage
from messaging.models.installation import Installation
from messaging.models.limits import LimitCounter
from messaging.models.looks import Look, LookNotice
from messaging.models.messages import Message, MessageHistory
from messaging.models.notifications import Notification
from messaging.models.sessions import Session
from messaging.models.users import AccessToken, NameEntry, User

__all__ = [
    "AccessToken",
    "Block",
    "Conversation",
    "Event",
    "ExportLease",
    "IdempotencyKey",
    "ImportedMessage",
    "Installation",
    "InviteCode",
    "LastSeen",
    "LimitCounter",
    "Look",
    "LookNotice",
    "Message",
    "MessageHistory",
    "NameEntry",
    "Notification",
    "Participant",
    "Presence",
    "Removal",
    "ServiceToken",
    "Session",
    "Typing",
    "User",
]
