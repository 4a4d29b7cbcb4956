"""All models: every table, its constraints, and why each index is there."""

from messaging.models.blocks import Block
from messaging.models.conversations import Conversation, Participant
from messaging.models.credentials import InviteCode, ServiceToken
from messaging.models.events import Event, Presence, Typing
from messaging.models.idempotency import IdempotencyKey
from messaging.models.installation import Installation
from messaging.models.limits import LimitCounter
from messaging.models.messages import Message, MessageHistory
from messaging.models.notifications import Notification
from messaging.models.sessions import Session
from messaging.models.users import AccessToken, User

__all__ = [
    "AccessToken",
    "Block",
    "Conversation",
    "Event",
    "IdempotencyKey",
    "Installation",
    "InviteCode",
    "LimitCounter",
    "Message",
    "MessageHistory",
    "Notification",
    "Participant",
    "Presence",
    "ServiceToken",
    "Session",
    "Typing",
    "User",
]
