"""Everything a person may take with them, read piece by piece.

Pages of rows by rising id, each a short query of its own: however slowly the
export is taken, no transaction stays open, no lock is held, and no more than a
page is in memory.
"""

from collections.abc import Callable, Iterator
from typing import Final

from django.db.models import Q

from messaging.ids import UserId
from messaging.models import Block, Message, MessageHistory, Participant, User
from messaging.models.messages import MessageQuerySet

PAGE_SIZE: Final = 500

Record = User | Participant | Block | Message | MessageHistory


def export_account(*, person: UserId) -> Iterator[Record]:
    """The person, their blocks and conversations, what they sent with its history, what they got.

    Each kept version follows its message, the oldest first. What is written while
    the export runs may be in it or not. Of a person who is deleted meanwhile
    nothing more comes.
    """
    for section in SECTIONS:
        yield from section(person)


def _profile(person: UserId) -> Iterator[Record]:
    yield from User.objects.filter(pk=person)


def _conversations(person: UserId) -> Iterator[Record]:
    parts = Participant.objects.filter(user=person).select_related(
        "conversation__low_user", "conversation__high_user"
    )
    last = 0
    while page := list(parts.filter(pk__gt=last).order_by("pk")[:PAGE_SIZE]):
        yield from page
        last = page[-1].pk


def _blocks(person: UserId) -> Iterator[Record]:
    blocks = (
        Block.objects.filter(blocker=person)
        .select_related("blocked")
        .only("created_at", "blocked__username", "blocked__display_name")
    )
    last = 0
    while page := list(blocks.filter(pk__gt=last).order_by("pk")[:PAGE_SIZE]):
        yield from page
        last = page[-1].pk


def _sent(person: UserId) -> Iterator[Record]:
    for page in _pages(Message.objects.filter(sender=person)):
        versions = _kept_versions(page)
        kept = next(versions, None)
        for message in page:
            yield message
            while kept is not None and kept.message_id == message.pk:
                # An edit since the message was read has kept what it still says.
                if kept.version < message.content_version:
                    yield kept
                kept = next(versions, None)


def _received(person: UserId) -> Iterator[Record]:
    for page in _pages(Message.objects.filter(receiver=person)):
        yield from page


def _pages(messages: MessageQuerySet) -> Iterator[list[Message]]:
    messages = messages.for_display().order_by("pk")
    last = 0
    while page := list(messages.filter(pk__gt=last)[:PAGE_SIZE]):
        yield page
        last = page[-1].pk


def _kept_versions(messages: list[Message]) -> Iterator[MessageHistory]:
    """What these messages said before, in their order.

    By pages too: one message may have been edited any number of times.
    """
    edited = [message.pk for message in messages if message.edited]
    versions = MessageHistory.objects.filter(message__in=edited)
    after = Q()
    while page := list(
        versions.filter(after).order_by("message", "version")[:PAGE_SIZE]
    ):
        yield from page
        last = page[-1]
        after = Q(message__gt=last.message_id) | Q(
            message=last.message_id, version__gt=last.version
        )


# In the order of the export.
SECTIONS: Final[tuple[Callable[[UserId], Iterator[Record]], ...]] = (
    _profile,
    _blocks,
    _conversations,
    _sent,
    _received,
)
