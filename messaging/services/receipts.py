"""Who has read a message, and who was notified of it.

A notification of an ordinary message is gone once it is read. Who was notified follows
from who takes part: everybody but the sender, from the message on that was the next one
when they joined; and whoever has marked it unread. Nobody is notified of what is imported.
"""

from dataclasses import dataclass
from typing import Annotated

from django.db.models import Exists, F, OuterRef, Q

from messaging.access import ReadableMessage
from messaging.cursors import decode_number, encode_cursor
from messaging.ids import UserId
from messaging.models import Message, Notification, Participant
from messaging.models.messages import MessageQuerySet
from messaging.pagination import Page, cut_page
from messaging.projections import From, Projection, UserProjection


@dataclass(slots=True)
class Receipt(Projection):
    """Whether a user who was notified of a message has read it."""

    user: UserProjection
    read: Annotated[bool, From("has_read")]


def receipt_page(
    *, message: ReadableMessage, cursor: str | None, limit: int
) -> Page[Receipt]:
    """Read receipts: the users who were notified of a message, by ascending user id."""
    own = Notification.objects.filter(message=message, user=OuterRef("user"))
    # Of the message as it is now: it may have been deleted meanwhile.
    sent_to_them = Message.objects.filter(
        pk=message.pk,
        sequence__gte=OuterRef("notified_from"),
        sender__isnull=False,
        external_id__isnull=True,
    )
    people = Participant.objects.filter(
        Exists(own) | Exists(sent_to_them), conversation=message.conversation_id
    )
    if cursor is not None:
        people = people.filter(user__gt=decode_number("receipts", cursor))
    rows = (
        people.exclude(user=message.sender_id)
        .annotate(has_read=~Exists(own.unread()))
        .order_by("user")
        .values_list(*Receipt.columns())
    )
    return cut_page(
        Receipt.from_rows(rows[: limit + 1]),
        limit=limit,
        cursor_of=lambda receipt: encode_cursor("receipts", receipt.user.id),
    )


def was_notified(message: Message, participant: Participant) -> bool:
    """Whether a participant, who is not the sender, was notified when it was sent."""
    return message.external_id is None and participant.notified_from <= message.sequence


def read_messages(reader: UserId) -> MessageQuerySet:
    """All messages that a user was notified of, and has read."""
    own = Notification.objects.of(reader).filter(message=OuterRef("pk"))
    # Of one row of participants: the joins of two filters would be two.
    theirs = Message.objects.filter(
        conversation__participants__user=reader,
        conversation__participants__notified_from__lte=F("sequence"),
        sender__isnull=False,
    )
    return theirs.exclude(sender=reader).filter(
        ~Exists(own.unread()), Q(external_id__isnull=True) | Q(Exists(own))
    )
