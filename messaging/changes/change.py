"""A write under way: its locks, its rows, and the steps that it takes at its end."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar, cast

from django.db import IntegrityError, transaction
from django.db.models import F, Model, QuerySet

from messaging.changes.locks import (
    lock_accounts,
    lock_conversation,
    lock_conversations,
    lock_users,
    locked,
    named_in,
    participants_of,
    require_participant,
)
from messaging.changes.log import record_events
from messaging.changes.wakeup import wake_processes
from messaging.database.inserts import Linked
from messaging.database.rows import require_no_slice
from messaging.database.writes import (
    CompiledUpdate,
    Statement,
    returned_by_erasing,
    returned_by_updating,
)
from messaging.erasure import erased
from messaging.errors import BypassError, UserNotFoundError
from messaging.ids import ConversationId, UserId
from messaging.models import (
    Conversation,
    Event,
    Installation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.models.conversations import ConversationQuerySet
from messaging.models.events import EventType
from messaging.models.messages import TOMBSTONE, MessageQuerySet
from messaging.unit_of_work import UnitOfWork

M = TypeVar("M", bound=Model)
# Models whose rows have a column for the id of an event.
Positioned = Notification | MessageHistory | Participant

# Rows of conversations, and how SQL names the conversation of one that it wrote.
_CONVERSATION_OF: Final[Mapping[type[Model], str]] = {
    Conversation: "messaging_conversation.id",
    Message: "messaging_message.conversation_id",
    MessageHistory: "messaging_messagehistory.conversation_id",
    Notification: "messaging_notification.conversation_id",
    Participant: "messaging_participant.conversation_id",
}
# Columns that nothing but the end of a change writes.
_AT_THE_END: Final = {(Conversation, "version"), (Installation, "clock")}


@CompiledUpdate
def _raise_version(
    *, conversations: Collection[int]
) -> tuple[QuerySet[Conversation], Mapping[str, object]]:
    return (
        Conversation.objects.filter(pk__in=conversations),
        {"version": F("version") + 1},
    )


@CompiledUpdate
def _advance(
    *, conversation: int, last_sequence: int, last_activity_at: datetime
) -> tuple[QuerySet[Conversation], Mapping[str, object]]:
    return Conversation.objects.filter(pk=conversation), {
        "version": F("version") + 1,
        "last_sequence": last_sequence,
        "last_activity_at": last_activity_at,
    }


@CompiledUpdate
def _increment_reply_count(
    *, message: int
) -> tuple[QuerySet[Message], Mapping[str, object]]:
    return Message.objects.filter(pk=message), {"reply_count": F("reply_count") + 1}


class Change:
    """A write under way, and the proof that it follows the protocol of messaging/changes.

    Only `context_managers` makes instances. A function that takes one may write: the
    locks are held, and the end of the change raises versions, numbers events and wakes
    other processes.
    """

    def __init__(self, unit: UnitOfWork) -> None:
        # Loaded rows; `_locked` also has conversations that were locked by id alone.
        self._conversations: dict[int, Conversation] = {}
        self._locked: set[int] = set()
        self._participants: set[tuple[int, int]] = set()
        # By conversation: whether they muted it.
        self._all_participants: dict[int, dict[int, bool]] = {}
        # By account: the conversations that name it, all of which are locked.
        self._accounts: dict[int, list[ConversationId]] = {}
        self._whole_accounts: set[int] = set()
        self._accounts_locked = False
        self._renewed: dict[int, Mapping[str, object]] = {}
        self._events: list[Event] = []
        self._linked: list[Linked] = []
        self._erased = self._account_erased = self._wakes = False
        self._unit = unit
        unit.at_end(self._end)

    # Locks

    def conversation(self, conversation_id: int) -> Conversation:
        """Lock a conversation, unless it is locked already, and return its present row.

        Raises:
            BypassError: the lock would be out of order.
            ConversationNotFoundError: the conversation was deleted.
        """
        self._require_open()
        if conversation_id not in self._conversations:
            self._require_order(conversation_id)
            self._hold(lock_conversation(conversation_id))
        return self._conversations[conversation_id]

    def conversations_of(self, user_id: UserId) -> list[ConversationId]:
        """Lock all conversations that name a user, then the account; return the
        conversations' ids.

        Raises:
            BypassError: the locks would be out of order.
            UserNotFoundError: the account was deleted just now.
        """
        self._require_open()
        if user_id not in self._whole_accounts:
            self.lock_accounts({user_id})
        if user_id not in self._whole_accounts:
            raise UserNotFoundError("There is no such person.")
        if user_id not in self._accounts:
            self._accounts[user_id] = named_in(user_id)
        return self._accounts[user_id]

    def lock_accounts(self, user_ids: Collection[int]) -> None:
        """Lock all conversations that name people, then those of the accounts that exist.

        For a change to several: one after the other would be out of order.

        Raises:
            BypassError: the locks would be out of order.
        """
        self._require_open()
        found = lock_accounts(user_ids)
        self._hold_all(found.conversations)
        self._accounts_locked = True
        self._whole_accounts |= found.users
        if len(user_ids) == 1:
            self._accounts.update(dict.fromkeys(found.users, found.conversations))

    def lock_all(self, conversations: ConversationQuerySet) -> list[ConversationId]:
        """Lock conversations by ascending id; return the ids of those that exist.

        Raises:
            BypassError: the locks would be out of order.
        """
        self._require_open()
        ids = lock_conversations(conversations)
        self._hold_all(ids)
        return ids

    def lock_users(self, user_ids: Collection[int]) -> None:
        """Lock accounts, so that nobody deletes them; requires all conversations to be locked.

        Raises:
            UserNotFoundError: one of them was deleted just now.
        """
        self._require_open()
        found = lock_users(user_ids)
        self._accounts_locked = True
        if not found.issuperset(user_ids):
            raise UserNotFoundError("There is no such person.")

    def locked(self, rows: QuerySet[M]) -> QuerySet[M]:
        """The same queryset, which locks its rows when it reads them.

        Raises:
            BypassError: they are conversations, which `lock_all` locks.
        """
        self._require_open()
        if rows.model is Conversation:
            raise BypassError("Conversations are locked by a method that keeps order.")
        self._accounts_locked |= rows.model is User
        return locked(rows)

    def locked_unless(
        self, rows: QuerySet[User], differs: Callable[[User], bool]
    ) -> User | None:
        """Read an account under its lock; if it differs, let go of the lock again.

        For what then locks conversations, which come before accounts.

        Returns:
            None if the account was deleted just now.
        """
        self._require_open()
        # Rolling back to this savepoint is the only way to release a row lock early.
        before = transaction.savepoint()
        user = locked(rows).first()
        if user is not None and differs(user):
            transaction.savepoint_rollback(before)
        else:
            transaction.savepoint_commit(before)
            self._accounts_locked = True
        return user

    def require_participant(self, conversation_id: int, user_id: UserId) -> None:
        """Lock a conversation, and check that a user still is a participant.

        Raises:
            ConversationNotFoundError: the user left, or the conversation was deleted.
        """
        if (conversation_id, user_id) not in self._participants:
            self.conversation(conversation_id)
            require_participant(conversation_id, user_id)
            self._participants.add((conversation_id, user_id))

    def participants_of(self, conversation_id: int) -> Mapping[int, bool]:
        """Lock a conversation; return all participants, and whether they muted it.

        They are read once. `require_participant` needs no query of its own after this.
        """
        self.conversation(conversation_id)
        if conversation_id not in self._all_participants:
            found = participants_of(conversation_id)
            self._all_participants[conversation_id] = found
            self._participants.update((conversation_id, user) for user in found)
        return self._all_participants[conversation_id]

    def _hold(self, conversation: Conversation) -> None:
        self._conversations[conversation.pk] = conversation
        self._locked.add(conversation.pk)

    def _hold_all(self, conversation_ids: Iterable[int]) -> None:
        ids = set(conversation_ids)
        for conversation_id in ids:
            self._require_order(conversation_id)
        self._locked |= ids

    def _require_order(self, conversation_id: int) -> None:
        known = conversation_id in self._locked
        late = conversation_id < max(self._locked, default=0)
        if not known and (late or self._accounts_locked):
            raise BypassError(
                "Conversations are locked by ascending id, and before accounts."
            )

    def _require_open(self) -> None:
        if not self._unit.is_open:
            # A write after the end would raise no version and log no event.
            raise BypassError("This change has ended, or is another thread's.")
        # A savepoint that is rolled back releases the locks taken since.
        self._unit.depend_on_savepoints()

    def _require_locked(self, conversation_ids: Iterable[int]) -> None:
        self._require_open()
        if not self._locked.issuperset(conversation_ids):
            raise BypassError("Rows are written under their conversation's lock.")

    # Rows

    def update(self, rows: QuerySet[M], **values: object) -> int:
        """Update rows, and return how many there were; `renew` raises versions.

        Raises:
            BypassError: one is of a conversation that is not locked.
        """
        self._require_open()
        if not _AT_THE_END.isdisjoint((rows.model, column) for column in values):
            raise BypassError("Versions and the clock are raised at the end.")
        if rows.model is Participant:
            self._all_participants.clear()
        if rows.model not in _CONVERSATION_OF:
            return QuerySet.update(rows, **values)
        conversations = returned_by_updating(
            rows, values, returning=_CONVERSATION_OF[rows.model]
        )
        self._require_locked(conversations)
        return conversations.total()

    def insert(self, rows: Iterable[M]) -> list[M]:
        """Insert rows of one model without signals, and return them with their ids.

        A new conversation counts as locked: nobody else can see it yet.
        """
        inserted = list(rows)
        self._require_insertable(inserted)
        self._insert(inserted)
        return inserted

    def first_or_insert(self, rows: QuerySet[M], new: M) -> tuple[M, bool]:
        """The first of these rows, or `new` after inserting it; and whether it was inserted.

        Safe to race: a unique constraint lets only one of two inserts through, and the
        other caller finds that row.
        """
        self._require_insertable([new])
        found = rows.first()
        if found is not None:
            return found, False
        try:
            # A savepoint for this insert alone: its rollback undoes nothing that the
            # end of the change relies on.
            with transaction.atomic():
                self._insert([new])
        except IntegrityError:
            found = rows.first()
            if found is None:
                raise
            return found, False
        return new, True

    def _require_insertable(self, rows: Sequence[Model]) -> None:
        self._require_locked(
            row.conversation_id
            for row in rows
            if isinstance(row, Message | MessageHistory | Notification | Participant)
        )
        if any(isinstance(row, Participant) for row in rows):
            self._all_participants.clear()

    def _insert(self, rows: Sequence[M]) -> None:
        if rows:
            # A plain queryset: those of guarded models refuse `bulk_create`.
            plain: QuerySet[M] = QuerySet(type(rows[0]))
            plain.bulk_create(rows)
        for row in rows:
            if isinstance(row, Conversation):
                self._hold(row)
            elif isinstance(row, Participant):
                self._participants.add((row.conversation_id, row.user_id))

    def insert_with(self, event: Event, rows: Iterable[Positioned]) -> None:
        """Insert rows of one model at the end of the change, with the id of this event."""
        positioned = [*rows]
        self._require_insertable(positioned)
        if positioned:
            model = type(positioned[0])
            column = "joined_position" if model is Participant else "position"
            self._linked.append(Linked(event, column, positioned))

    def erase(self, rows: QuerySet[M]) -> int:
        """Delete by one statement, without signals and cascades; return how many.

        Raises:
            BypassError: one is of a conversation that is not locked.
            TypeError: the rows are a slice, which the statement would ignore.
        """
        self._require_open()
        require_no_slice(rows)
        self._erased |= issubclass(rows.model, Message | MessageHistory)
        if rows.model is Participant:
            # Whom `require_participant` has checked may be among them.
            self._participants.clear()
            self._all_participants.clear()
        if rows.model not in _CONVERSATION_OF:
            number: int = QuerySet._raw_delete(rows, rows.db)
            return number
        conversations = returned_by_erasing(
            rows, returning=_CONVERSATION_OF[rows.model]
        )
        self._require_locked(conversations)
        if rows.model is Conversation:
            self._forget_pages(conversations)
        return conversations.total()

    def _forget_pages(self, conversation_ids: Iterable[int]) -> None:
        """Nobody is to read a page again that is gone."""
        for pk in conversation_ids:
            self._renewed.pop(pk, None)

    def turn_into_tombstones(self, messages: MessageQuerySet) -> None:
        """Empty messages; their rows stay, to hold the replies below them."""
        self._erased = True
        self.update(messages, **TOMBSTONE)

    def count_reply(self, parent: Message) -> None:
        self._require_locked({parent.conversation_id})
        _increment_reply_count.run(message=parent.pk)

    # The end of the change

    def renew(self, *conversation_ids: int, **columns: object) -> None:
        """Raise the versions of conversations whose pages have changed.

        Each version is raised once, however often this is called. `columns` are other
        new values of the same rows, which are written by the same statement.

        Raises:
            BypassError: one of the conversations is not locked.
        """
        self._require_open()
        if not self._locked.issuperset(conversation_ids):
            raise BypassError("A page is renewed under its conversation's lock.")
        for pk in conversation_ids:
            self._renewed[pk] = {**self._renewed.get(pk, {}), **columns}
            for column, value in columns.items():
                setattr(self.conversation(pk), column, value)

    def record(self, *events: Event) -> None:
        """Log events at the end, in the order of these calls."""
        self._require_open()
        self._events += events

    def forget_events_of(self, user_id: int) -> None:
        """Log none that names an account which this change has deleted."""
        self._require_open()
        self._events = [
            event
            for event in self._events
            if user_id not in {event.user_id, event.recipient_id}
        ]

    def wake(self) -> None:
        """Wake the processes that hold streams, for a change that logs no event: typing,
        presence.
        """
        self._require_open()
        self._wakes = True

    def announce_erased_account(self) -> None:
        """Send the signal `erased` after the commit, for a whole account."""
        self._require_open()
        self._erased = self._account_erased = True

    def _end(self) -> None:
        updates = [*self._raised_versions()]
        # No event says what changed there: clients have to read these pages again.
        self._events += [
            _reset(pk) for pk in sorted(self._renewed.keys() - self._announced())
        ]
        # After all other locks: see `record_events`.
        if self._events:
            record_events(self._events, self._linked, updates)
        elif self._wakes:
            wake_processes()
        if self._erased:
            _announce_erasure(self._locked, account=self._account_erased)

    def _announced(self) -> set[int | None]:
        """The conversations that an event tells all participants of."""
        announced = {
            event.conversation_id for event in self._events if not event.recipient_id
        }
        for event in self._events:
            # Everybody who shares a conversation with them.
            if event.type == EventType.USER_UPDATED:
                announced.update(self._accounts.get(event.user_id or 0, ()))
        return announced

    def _raised_versions(self) -> Iterator[Statement]:
        """Updates that raise versions; those of unusual columns are run at once."""
        plain = sorted(pk for pk, columns in self._renewed.items() if not columns)
        if plain:
            yield _raise_version.bound(conversations=plain)
        for pk, columns in self._renewed.items():
            if columns.keys() == {"last_sequence", "last_activity_at"}:
                # Every message changes just these columns: use the compiled update.
                yield _advance.bound(
                    conversation=pk,
                    last_sequence=cast(int, columns["last_sequence"]),
                    last_activity_at=cast(datetime, columns["last_activity_at"]),
                )
            elif columns:
                rows = Conversation.objects.filter(pk=pk)
                QuerySet.update(rows, version=F("version") + 1, **columns)


def _reset(conversation_id: int) -> Event:
    return Event(type=EventType.CONVERSATION_RESET, conversation_id=conversation_id)


def _announce_erasure(conversations: Collection[int], *, account: bool) -> None:
    """Send `erased` once the transaction that deletes is committed."""

    def send() -> None:
        erased.send_robust(
            ConversationId, conversations=frozenset(conversations), account=account
        )

    # After the commit: earlier, a reader could cache the deleted content again.
    transaction.on_commit(send, robust=True)
