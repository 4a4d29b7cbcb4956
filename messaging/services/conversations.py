"""Conversations: opening, listing and naming them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery
from django_stubs_ext import WithAnnotations

from messaging.access import (
    Membership,
    Ownership,
    conversation_not_found,
    locked_for_owner,
)
from messaging.cursors import (
    decode_numbers,
    encode_cursor,
    moment_number,
    numbered_moment,
)
from messaging.errors import (
    GroupFullError,
    InvalidCursorError,
    SelfMessageError,
    UnknownMemberError,
)
from messaging.ids import ConversationId, UserId
from messaging.models import (
    Conversation,
    Event,
    Installation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    Typing,
    User,
)
from messaging.models.conversations import ConversationQuerySet
from messaging.models.events import EventType
from messaging.pages import Page, cut_page
from messaging.services.blocks import require_deliverable
from messaging.services.events import record_events
from messaging.services.timelines import messages_by_id
from messaging.services.users import lock_users
from messaging.statements import Parameter, Statement, number_of
from messaging.text import clean_title, is_storable

AnyModel = TypeVar("AnyModel", bound=Model)

_MOST_RECENT_FIRST: Final = ("-conversation__last_activity_at", "-conversation_id")


@dataclass(frozen=True, slots=True)
class OpenedConversation:
    conversation: Conversation
    created: bool


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation as one participant sees it in a list."""

    conversation: Conversation
    role: str
    muted: bool
    hidden: bool
    # The other one of a direct conversation.
    other: User | None
    participant_count: int
    unread_count: int
    last_message: Message | None


@dataclass(frozen=True, slots=True)
class PageVersion:
    """Names what a conversation's page shows: another state, another version."""

    conversation_id: ConversationId
    version: int
    # Of all names that are shown anywhere.
    names: int
    # Of the database: a restored backup may give a version out again.
    epoch: str


class _Counts(TypedDict):
    participant_count: int
    unread_count: int
    last_message_id: int | None


def open_direct(
    *, one: UserId, other: UserId, field: str = "receiver"
) -> OpenedConversation:
    """The conversation of two people, made the first time; safe to race.

    Raises:
        SelfMessageError: there is only one person; `field` named the other.
        NotDeliverableError: there is a block between them, and no conversation yet.
    """
    if one == other:
        raise SelfMessageError("You cannot write to yourself.", field=field)
    low, high = sorted((one, other))
    with transaction.atomic():
        conversation, created = Conversation.objects.get_or_create(
            low_user_id=low,
            high_user_id=high,
            defaults={"kind": Conversation.Kind.DIRECT},
        )
        if created:
            require_deliverable(sender=one, receivers=frozenset({other}))
            lock_users({low, high})
            Participant.objects.bulk_create(
                Participant(conversation=conversation, user_id=user)
                for user in (low, high)
            )
            _announce_new(conversation)
    return OpenedConversation(conversation, created)


def start_group(
    *, owner: User, title: str, usernames: Iterable[str]
) -> OpenedConversation:
    """Open a group; naming its owner among the members changes nothing.

    Raises:
        InvalidTitleError
        UnknownMemberError: a name has no active account; says which.
        GroupFullError: more people than the installation allows.
        NotDeliverableError: there is a block between the owner and a member.
    """
    title = clean_title(title)
    members = _active_users(frozenset(name.lower() for name in usernames)) - {owner.pk}
    if len(members) + 1 > settings.PARLEY_MAX_PARTICIPANTS:
        raise group_full()
    require_deliverable(sender=UserId(owner.pk), receivers=members)
    with transaction.atomic():
        conversation = Conversation.objects.create(
            kind=Conversation.Kind.GROUP, title=title
        )
        lock_users({owner.pk, *members})
        Participant.objects.create(
            conversation=conversation, user=owner, role=Participant.Role.OWNER
        )
        Participant.objects.bulk_create(
            Participant(conversation=conversation, user_id=user)
            for user in sorted(members)
        )
        _announce_new(conversation)
    return OpenedConversation(conversation, created=True)


def rename_group(*, group: Ownership, title: str) -> None:
    """Give a group another title.

    Raises:
        InvalidTitleError
        NotOwnerError, ConversationNotFoundError: the group changed hands meanwhile.
    """
    title = clean_title(title)
    with transaction.atomic():
        locked_for_owner(group)
        Conversation.objects.filter(pk=group.conversation_id).update(
            title=title, version=F("version") + 1
        )
        record_events([conversation_updated(ConversationId(group.conversation_id))])


def page_version(*, reader: UserId, conversation_id: ConversationId) -> PageVersion:
    """The version of a conversation's page, for someone who may read it; one query.

    To be read before the page's data: then the data is never older than it says.

    Raises:
        ConversationNotFoundError: no such conversation, or no part of theirs in it.
    """
    row = _PAGE_VERSION.first(reader=reader, conversation=conversation_id)
    if row is None:
        raise conversation_not_found()
    version, names, epoch = row
    return PageVersion(conversation_id, version, names, epoch)


def conversation_page(
    *, reader: UserId, cursor: str | None, limit: int, matching: str | None = None
) -> Page[ConversationSummary]:
    """A person's conversations, the most recently active first, hidden ones left out.

    `matching` leaves those with this in the group's title or the other's names,
    whatever its case; and the hidden ones among them.
    """
    rows = _rows_of_page(reader, cursor, limit + 1, matching)
    page = cut_page(
        rows,
        limit=limit,
        cursor_of=lambda part: encode_cursor(
            "conversations",
            moment_number(part.conversation.last_activity_at),
            part.conversation_id,
        ),
    )
    return Page(_summaries(page.items), page.next_cursor)


def conversation_summary(*, membership: Membership) -> ConversationSummary:
    """One conversation, as the list shows it."""
    return _summaries(_LISTED_ONE.all(part=membership.pk))[0]


def summaries_for(
    *, users: Collection[UserId], conversations: Collection[int]
) -> Iterable[tuple[UserId, ConversationSummary]]:
    """These conversations, as each of these people who take part sees them."""
    parts = list(
        _with_counts(
            Participant.objects.filter(user__in=users, conversation__in=conversations)
        )
    )
    people = (UserId(part.user_id) for part in parts)
    return zip(people, _summaries(parts), strict=True)


def conversation_updated(
    conversation_id: ConversationId, *, recipient: UserId | None = None
) -> Event:
    """The event that tells how a conversation looks now, to all or to one."""
    return Event(
        type=EventType.CONVERSATION_UPDATED,
        conversation_id=conversation_id,
        recipient_id=recipient,
    )


def titles(
    *, conversation_ids: Collection[ConversationId]
) -> dict[ConversationId, str]:
    """The titles of groups; a direct conversation's is empty."""
    rows = Conversation.objects.filter(pk__in=conversation_ids)
    return {ConversationId(pk): title for pk, title in rows.values_list("pk", "title")}


def erase_conversations(conversations: ConversationQuerySet) -> None:
    """Remove conversations that nobody can read, without loading their messages."""
    erase_rows(Notification.objects.filter(conversation__in=conversations))
    erase_rows(MessageHistory.objects.filter(message__conversation__in=conversations))
    erase_rows(Message.objects.filter(conversation__in=conversations))
    erase_rows(Typing.objects.filter(conversation__in=conversations))
    erase_rows(Participant.objects.filter(conversation__in=conversations))
    erase_rows(conversations)


def erase_rows(rows: QuerySet[AnyModel]) -> None:
    """Delete by one statement: no signals, no cascades, nothing loaded."""
    rows._raw_delete(rows.db)


def group_full() -> GroupFullError:
    return GroupFullError(
        f"A group has at most {settings.PARLEY_MAX_PARTICIPANTS:,} participants."
    )


def _announce_new(conversation: Conversation) -> None:
    record_events(
        [Event(type=EventType.CONVERSATION_CREATED, conversation_id=conversation.pk)]
    )


def _page_versions() -> QuerySet[Participant, tuple[int, int, str]]:
    installation = Installation.objects.filter(pk=Installation.ONLY_ID)
    return Participant.objects.filter(
        user=Parameter("reader"), conversation=Parameter("conversation")
    ).values_list(
        "conversation__version",
        Subquery(installation.values("names")),
        Subquery(installation.values("epoch")),
    )


_PAGE_VERSION: Final = Statement(_page_versions)


def _active_users(username_keys: frozenset[str]) -> frozenset[int]:
    found = dict(
        User.objects.filter(username_key__in=username_keys, is_active=True).values_list(
            "username_key", "pk"
        )
    )
    if unknown := username_keys - found.keys():
        raise UnknownMemberError(
            f"There is no such person: {', '.join(sorted(unknown))}.",
            field="participants",
        )
    return frozenset(found.values())


def _rows_of_page(
    reader: UserId, cursor: str | None, count: int, matching: str | None
) -> "Sequence[WithAnnotations[Participant, _Counts]]":
    if matching is not None:
        return _found_of_page(reader, cursor, count, matching)
    if cursor is None:
        return _LISTED.page(count, reader=reader)
    moment, last = _place_of(cursor)
    return _LISTED_AFTER.page(count, reader=reader, moment=moment, last=last)


def _found_of_page(
    reader: UserId, cursor: str | None, count: int, matching: str
) -> "Sequence[WithAnnotations[Participant, _Counts]]":
    parts = Participant.objects.filter(_named(matching, reader), user=reader)
    if cursor is not None:
        parts = parts.filter(_less_recent_than(*_place_of(cursor)))
    return list(_with_counts(parts).order_by(*_MOST_RECENT_FIRST)[:count])


def _named(matching: str, reader: UserId) -> Q:
    if not is_storable(matching):
        return Q(pk__in=())
    named = Q(conversation__title__icontains=matching)
    for side in ("low_user", "high_user"):
        other = ~Q(**{f"conversation__{side}": reader})
        for name in ("username", "display_name"):
            named |= other & Q(**{f"conversation__{side}__{name}__icontains": matching})
    return named


def _less_recent_than(moment: datetime | Parameter, last: int | Parameter) -> Q:
    return Q(conversation__last_activity_at__lt=moment) | Q(
        conversation__last_activity_at=moment, conversation__lt=last
    )


def _place_of(cursor: str) -> tuple[datetime, int]:
    match decode_numbers("conversations", cursor):
        case [moment_of, conversation_id]:
            return numbered_moment(moment_of), conversation_id
        case _:
            raise InvalidCursorError("This is no cursor of this list.", field="cursor")


def _listed() -> "QuerySet[WithAnnotations[Participant, _Counts]]":
    parts = Participant.objects.filter(user=Parameter("reader")).listed()
    return _with_counts(parts).order_by(*_MOST_RECENT_FIRST)


_LISTED: Final = Statement(_listed)
_LISTED_AFTER: Final = Statement(
    lambda: _listed().filter(_less_recent_than(Parameter("moment"), Parameter("last")))
)
_LISTED_ONE: Final = Statement(
    lambda: _with_counts(Participant.objects.filter(pk=Parameter("part")))
)


def _with_counts(
    parts: QuerySet[Participant],
) -> "QuerySet[WithAnnotations[Participant, _Counts]]":
    unread = Notification.objects.unread_in(OuterRef("conversation")).filter(
        user=OuterRef("user")
    )
    everyone = Participant.objects.filter(conversation=OuterRef("conversation"))
    newest = Message.objects.filter(conversation=OuterRef("conversation"))
    return (
        parts.select_related(
            "conversation", "conversation__low_user", "conversation__high_user"
        )
        .only(
            "user",
            "role",
            "muted",
            "hidden_through",
            *(
                f"conversation__{column}"
                for column in (
                    "kind",
                    "title",
                    "last_sequence",
                    "last_activity_at",
                    "created_at",
                )
            ),
            *(
                f"conversation__{side}__{column}"
                for side in ("low_user", "high_user")
                for column in ("username", "display_name")
            ),
        )
        .annotate(
            unread_count=number_of(unread),
            participant_count=number_of(everyone),
            last_message_id=Subquery(newest.order_by("-sequence").values("pk")[:1]),
        )
    )


def _summaries(
    parts: "Iterable[WithAnnotations[Participant, _Counts]]",
) -> Sequence[ConversationSummary]:
    rows = list(parts)
    ids = [row.last_message_id for row in rows if row.last_message_id is not None]
    last_messages = {message.pk: message for message in messages_by_id(ids=ids)}
    return [
        ConversationSummary(
            conversation=row.conversation,
            role=row.role,
            muted=row.muted,
            hidden=row.hidden_through == row.conversation.last_sequence,
            other=_other(row.conversation, reader=UserId(row.user_id)),
            participant_count=row.participant_count,
            unread_count=row.unread_count,
            last_message=last_messages.get(row.last_message_id or 0),
        )
        for row in rows
    ]


def _other(conversation: Conversation, *, reader: UserId) -> User | None:
    if conversation.low_user_id == reader:
        return conversation.high_user
    return conversation.low_user
