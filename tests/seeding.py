"""What the demo's tests share."""

from io import StringIO

from django.core.management import call_command

from messaging.models import (
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)

Rows = list[tuple[object, ...]]


def seed() -> str:
    """Run the command, and return what it says."""
    said = StringIO()
    call_command("seed_demo", stdout=said)
    return said.getvalue()


def all_rows() -> list[Rows]:
    models = (User, Conversation, Participant, Message, MessageHistory, Notification)
    return [
        list(model._default_manager.order_by("pk").values_list()) for model in models
    ]
