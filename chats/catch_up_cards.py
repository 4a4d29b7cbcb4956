"""What waits, as its page shows it: a card for each thread of each conversation."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from chats.idempotency import new_form_id
from messaging.ids import MessageId, UserId
from messaging.ids import Sequence as MessageSequence
from messaging.namesakes import namesakes
from messaging.projections import (
    MessageProjection,
    NotificationProjection,
    UserProjection,
)
from messaging.sequence_ranges import SequenceRange, merged
from messaging.services.catch_up import UnreadConversation, UnreadThread
from messaging.services.summaries import ConversationSummary


@dataclass(slots=True)
class Card:
    """Unread messages of one thread, or those of a conversation that are in none."""

    root: MessageProjection | None
    notifications: Sequence[NotificationProjection]
    # Of its reply's form.
    form_id: str
    # The id of the card that comes after it.
    following: str = "end"

    @property
    def id(self) -> str:
        return f"card-{self.notifications[0].message.id}"

    @property
    def ranges(self) -> Sequence[str]:
        """Just the messages that it shows, as `FIRST-LAST`."""
        shown = merged(
            SequenceRange(MessageSequence(sequence), MessageSequence(sequence))
            for sequence in (each.message.sequence for each in self.notifications)
        )
        return [f"{each.first}-{each.last}" for each in shown]

    @property
    def earlier_root(self) -> MessageProjection | None:
        """The root, unless it is among the messages."""
        shown = {each.message.id for each in self.notifications}
        return None if self.root is None or self.root.id in shown else self.root

    @property
    def answered(self) -> MessageId | None:
        """What a reply answers: the thread's newest message, or none outside of threads."""
        return None if self.root is None else self.notifications[-1].message.id


@dataclass(slots=True)
class WaitingConversation:
    conversation: ConversationSummary
    cards: Sequence[Card]
    next_cursor: str | None


def waiting_conversations(
    items: Iterable[UnreadConversation],
) -> list[WaitingConversation]:
    waiting = [
        WaitingConversation(
            item.conversation, [_card(each) for each in item.threads], item.next_cursor
        )
        for item in items
    ]
    for one, other in pairwise(chain.from_iterable(each.cards for each in waiting)):
        one.following = other.id
    return waiting


def namesakes_on(waiting: Collection[WaitingConversation]) -> frozenset[UserId]:
    """Those who share a name with somebody else on the page."""
    return namesakes(_people(waiting))


def _card(thread: UnreadThread) -> Card:
    return Card(thread.root, thread.notifications, new_form_id())


def _people(
    waiting: Iterable[WaitingConversation],
) -> Iterator[UserProjection | None]:
    for each in waiting:
        yield each.conversation.participant
        for card in each.cards:
            yield None if card.root is None else card.root.sender
            yield from (one.message.sender for one in card.notifications)
