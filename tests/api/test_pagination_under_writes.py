"""Pagination of a list under writes: an item that stays is listed once, in order.

Between two pages messages are sent, edited, deleted, read and marked unread, people come
and go, groups are left, and conversations become active. Whatever was in the list each
time a page was read, and did not move, is on just one page.
"""

from datetime import timedelta
from itertools import count
from operator import methodcaller
from typing import Final, TypeVar

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from api.schemas.catch_up import CatchUpPage
from messaging.access import Membership
from messaging.ids import MAX_ID, InvitationId, Sequence, TokenId, UserId
from messaging.models import (
    AccessToken,
    Conversation,
    InviteCode,
    Message,
    Participant,
    User,
)
from messaging.sequence_ranges import SequenceRange
from messaging.services import (
    blocks,
    conversations,
    invites,
    looks,
    messages,
    notifications,
    participants,
    tokens,
)
from tests.api_client import Answer, ApiClient, Json
from tests.contract.document import operations
from tests.contract.hostile import cursor_parameter
from tests.proofs import membership_of, own_of, owned_by, received_by
from tests.rows import insert

SOME: Final = settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
MANY: Final = settings(SOME, max_examples=200, derandomize=False, database=None)

T = TypeVar("T")

ACTIONS: Final = ("add", "edit", "delete", "reply", "read", "unread")

# What happens between two pages, and to which of the things there are.
Happenings = list[list[tuple[str, int]]]
happenings = st.lists(
    st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.integers(0, 99)),
        min_size=1,
        max_size=6,
    ),
    min_size=3,
    max_size=8,
)


class PaginatedList:
    """A list with data of its own, and the writes that may change it."""

    # As the document has it.
    path = ""
    # Where the first page begins; the cursor says it for the others.
    start = ""

    def __init__(self) -> None:
        self.reader = User.objects.create_user("reader")
        self.other = User.objects.create_user("other")
        self.client = ApiClient(
            tokens.issue_token(user=self.reader, name="test", expires_in=None).secret
        )
        self.group = self.start_group()
        self.root = self.say("root")
        # What was there each time a page was read, and did not move.
        self.stayed: set[int] = set()
        for number in range(7):
            self.add(number)

    def start_group(self) -> Conversation:
        return conversations.start_group(
            owner=self.reader, title="Group", usernames=["other"]
        ).conversation

    def say(self, content: str, parent: Message | None = None) -> Message:
        return Message.objects.create(
            sender=self.other,
            conversation=self.group,
            content=content,
            parent_message=parent,
        )

    def messages(self) -> list[Message]:
        """All but the root and what was deleted."""
        written = Message.objects.filter(conversation=self.group, sender__isnull=False)
        return list(written.exclude(pk=self.root.pk).order_by("sequence"))

    def add(self, which: int) -> None:  # noqa: ARG002  # as the others
        self.say("hello", self.root)

    def reply(self, which: int) -> None:
        [parent] = one_of(self.messages(), which) or [self.root]
        self.say("reply", parent)

    def edit(self, which: int) -> None:
        for message in one_of(self.messages(), which):
            message.content = f"edited {which}"
            message.save()

    def delete(self, which: int) -> None:
        for message in one_of(self.messages(), which):
            messages.delete_message(message=own_of(self.other, message))

    def read(self, which: int) -> None:
        unread = [message for message in self.messages() if not message.read]
        for message in one_of(unread, which):
            mark_read(self.reader, message)

    def unread(self, which: int) -> None:
        read = [message for message in self.messages() if message.read]
        for message in one_of(read, which):
            mark_unread(self.reader, message)

    def paginate(self, between: Happenings) -> list[int]:
        """The ids on the pages of two, with what happens between them."""
        self.stayed.update(self.now())
        seen: list[int] = []
        place = self.start
        while True:
            page = self.page(f"limit=2{place}")
            seen += self.ids(page)
            if page.json["next_cursor"] is None:
                return seen
            place = f"&cursor={page.text('next_cursor')}"
            for action, which in between.pop(0) if between else []:
                methodcaller(action, which)(self)
            self.stayed.intersection_update(self.now())

    def now(self) -> list[int]:
        """The ids of the list at this moment, in its order."""
        page = self.page(f"limit=200{self.start}")
        assert page.json["next_cursor"] is None
        return self.ids(page)

    def ids(self, page: Answer) -> list[int]:
        """The ids on a page, in its order."""
        return [_id(item) for item in page.items]

    def page(self, query: str) -> Answer:
        path = self.path.format(conversation_id=self.group.pk, message_id=self.root.pk)
        page = self.client.get(f"{path}{'&' if '?' in path else '?'}{query}")
        assert page.status == 200, page
        return page


class Timeline(PaginatedList):
    path = "/conversations/{conversation_id}/messages"


class CatchingUp(Timeline):
    start = "&after_sequence=0"


class Around(Timeline):
    """The last but one, which stays: one newer than it, itself, and all older ones."""

    @override
    def __init__(self) -> None:
        super().__init__()
        self.root = self.messages()[-2]
        self.start = f"&around={self.root.pk}"

    @override
    def now(self) -> list[int]:
        """Without the newer ones that are on no page of two."""
        ids = super().now()
        return ids[max(ids.index(self.root.pk) - 1, 0) :]


class Replies(PaginatedList):
    path = "/messages/{message_id}/replies"


class Inbox(PaginatedList):
    path = "/inbox"


class Notifications(PaginatedList):
    path = "/notifications"


class Conversations(PaginatedList):
    """Hidden and shown again, as messages are read and marked unread."""

    path = "/conversations"

    def memberships(self) -> list[Membership]:
        """The reader's, in all groups but the first."""
        theirs = Conversation.objects.filter(participants__user=self.reader)
        others = theirs.exclude(pk=self.group.pk).order_by("pk")
        return [membership_of(self.reader, group) for group in others]

    @override
    def add(self, which: int) -> None:
        self.start_group()

    @override
    def reply(self, which: int) -> None:
        for membership in one_of(self.memberships(), which):
            Message.objects.create(
                sender=self.other, conversation=membership.conversation, content="hello"
            )
            # Now it is the first.
            self.stayed.discard(membership.conversation_id)

    @override
    def edit(self, which: int) -> None:
        for membership in one_of(self.memberships(), which):
            group = owned_by(self.reader, membership.conversation)
            conversations.rename_group(group=group, title=f"Group {which}")

    @override
    def delete(self, which: int) -> None:
        for membership in one_of(self.memberships(), which):
            participants.remove_participant(membership=membership, username="reader")

    @override
    def read(self, which: int) -> None:
        for membership in one_of(self.memberships(), which):
            participants.set_hidden(membership=membership, hidden=True)

    @override
    def unread(self, which: int) -> None:
        hidden = [
            membership
            for membership in self.memberships()
            if membership.hidden_through is not None
        ]
        for membership in one_of(hidden, which):
            participants.set_hidden(membership=membership, hidden=False)


class Waiting(Conversations):
    """Catch up, whose pages are of conversations, and its items the messages in them.

    A conversation has the place of its oldest unread message, so that here all of one
    is read, and the oldest marked unread again.
    """

    path = "/me/catch-up"

    @override
    def ids(self, page: Answer) -> list[int]:
        return [
            each.message.id
            for waiting in CatchUpPage.model_validate_json(page.body).items
            for thread in waiting.threads
            for each in thread.notifications
        ]

    def oldest(self, membership: Membership) -> Message:
        return membership.conversation.messages.earliest("sequence")

    @override
    def add(self, which: int) -> None:
        Message.objects.create(
            sender=self.other, conversation=self.start_group(), content="hello"
        )

    @override
    def reply(self, which: int) -> None:
        for membership in one_of(self.memberships(), which):
            Message.objects.create(
                sender=self.other, conversation=membership.conversation, content="more"
            )

    @override
    def read(self, which: int) -> None:
        for membership in one_of(self.memberships(), which):
            notifications.mark_ranges_read(
                membership=membership,
                ranges=[SequenceRange(Sequence(1), Sequence(MAX_ID))],
            )

    @override
    def unread(self, which: int) -> None:
        for membership in one_of(self.memberships(), which):
            mark_unread(self.reader, self.oldest(membership))


class Unspoken(PaginatedList):
    """A list that no message changes: items are added and removed."""

    @override
    def edit(self, which: int) -> None:
        self.add(which)

    reply = unread = edit

    @override
    def read(self, which: int) -> None:
        self.delete(which)


class Versions(Unspoken):
    """Of one message, edited on while its history is read."""

    path = "/messages/{message_id}/history"

    @override
    def add(self, which: int) -> None:
        self.root.content = f"version {self.root.content_version + 1}"
        self.root.save()

    delete = add


class Tokens(Unspoken):
    path = "/auth/tokens"

    @override
    def add(self, which: int) -> None:
        tokens.issue_token(user=self.reader, name="another", expires_in=None)

    @override
    def delete(self, which: int) -> None:
        others = AccessToken.objects.filter(name="another").order_by("pk")
        for token in one_of(list(others), which):
            tokens.revoke_token(
                owner=UserId(self.reader.pk), token_id=TokenId(token.pk)
            )


class Invitations(Unspoken):
    path = "/conversations/{conversation_id}/invitations"

    @override
    def add(self, which: int) -> None:
        if InviteCode.objects.count() < invites.MOST:
            invites.create_group_invitation(
                group=owned_by(self.reader, self.group),
                uses=1,
                expires_in=timedelta(hours=1),
            )

    @override
    def delete(self, which: int) -> None:
        owned = owned_by(self.reader, self.group)
        for row in one_of(list(InviteCode.objects.order_by("pk")), which):
            invites.revoke_group_invitation(
                group=owned, invitation_id=InvitationId(row.pk)
            )


class Looks(Unspoken):
    """Of which only the oldest go, after a year."""

    path = "/me/looks"

    @override
    def add(self, which: int) -> None:
        looks.record_password(by=UserId(self.other.pk), user_id=UserId(self.reader.pk))

    delete = add


class People(Unspoken):
    path = "/users?query=person"

    @override
    def __init__(self) -> None:
        self.numbers = count()
        super().__init__()

    def people(self) -> list[User]:
        return list(User.objects.filter(username__startswith="person").order_by("pk"))

    def newcomer(self, which: int) -> User:
        return User.objects.create_user(f"person-{which}-{next(self.numbers)}")

    @override
    def add(self, which: int) -> None:
        self.newcomer(which)

    @override
    def delete(self, which: int) -> None:
        for user in one_of(self.people(), which):
            user.delete()


class Blocks(People):
    path = "/blocks"

    @override
    def add(self, which: int) -> None:
        blocks.block(blocker=self.reader, blocked=self.newcomer(which))


class Participants(People):
    path = "/conversations/{conversation_id}/participants"

    @override
    def people(self) -> list[User]:
        there = set(self.group.participants.values_list("user", flat=True))
        return [user for user in super().people() if user.pk in there]

    @override
    def add(self, which: int) -> None:
        insert(Participant(conversation=self.group, user=self.newcomer(which)))

    @override
    def delete(self, which: int) -> None:
        """Some leave, the others give up their account."""
        for user in one_of(self.people(), which):
            if which % 2:
                user.delete()
            else:
                membership = membership_of(user, self.group)
                participants.remove_participant(
                    membership=membership, username=user.username
                )


class Receipts(Participants):
    """Of one message, which those who come later mark unread."""

    path = "/messages/{message_id}/receipts"

    @override
    def add(self, which: int) -> None:
        super().add(which)
        mark_unread(self.people()[-1], self.root)

    @override
    def read(self, which: int) -> None:
        for user in one_of(self.people(), which):
            mark_read(user, self.root)

    @override
    def unread(self, which: int) -> None:
        for user in one_of(self.people(), which):
            mark_unread(user, self.root)


LISTS: Final = (
    *(Timeline, CatchingUp, Around, Replies, Inbox, Notifications, Conversations),
    *(Waiting, Versions, Tokens, People, Blocks, Participants, Receipts),
    *(Invitations, Looks),
)

# Of what happens there is no last page: test_stream_order.py follows it.
ENDLESS: Final = frozenset({"/events/poll"})


def paginate(kind: type[PaginatedList], between: Happenings) -> None:
    with transaction.atomic():
        paginated = kind()
        before = paginated.now()
        seen = paginated.paginate(between)
        transaction.set_rollback(True)
    # What never was may not be kept: its ids and versions come again.
    cache.clear()
    assert len(seen) == len(set(seen)), "something came twice"
    stayed = paginated.stayed
    assert [one for one in before if one in stayed] == [
        one for one in seen if one in stayed
    ]


def test_every_list_is_paginated() -> None:
    lists = {each.path for each in operations() if cursor_parameter(each)}
    assert {kind.path.partition("?")[0] for kind in LISTS} | ENDLESS == lists


@pytest.mark.slow(but_one_in=8)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", LISTS)
def test_no_write_between_pages_hides_an_item(
    db: None, kind: type[PaginatedList], action: str
) -> None:
    """To the oldest first, to the newest first, and to whatever a cursor names."""
    for places in (range(7), range(6, -1, -1), range(5, 0, -2)):
        paginate(kind, [[(action, which)] for which in places])


@pytest.mark.parametrize("kind", LISTS)
@SOME
@given(between=happenings)
def test_an_item_that_stays_is_listed_once(
    db: None, kind: type[PaginatedList], between: Happenings
) -> None:
    paginate(kind, between)


@pytest.mark.long
@pytest.mark.parametrize("kind", LISTS)
@MANY
@given(between=happenings)
def test_an_item_that_stays_is_listed_once_at_length(
    db: None, kind: type[PaginatedList], between: Happenings
) -> None:
    paginate(kind, between)


def mark_read(reader: User, message: Message) -> None:
    notifications.mark_message_read(
        message=received_by(reader, message), reader=UserId(reader.pk)
    )


def mark_unread(reader: User, message: Message) -> None:
    notifications.mark_message_unread(
        message=received_by(reader, message), reader=UserId(reader.pk)
    )


def one_of(things: list[T], which: int) -> list[T]:
    """None where there are none."""
    return [things[which % len(things)]] if things else []


def _id(item: Json) -> int:
    """Of a message, or of the message, person or version that an item is about."""
    for key in ("id", "version"):
        if isinstance(number := item.get(key), int):
            return number
    user = item["user"]
    assert isinstance(user, dict)
    return _id(user)
