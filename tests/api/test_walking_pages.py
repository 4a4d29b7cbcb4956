"""Walking a list while it changes: what stays is seen once, in order.

Between two pages messages are sent, edited, deleted, read and marked unread, groups
are left and people come. Whatever was in the list all the while, and did not move, is
on just one page.
"""

from collections.abc import Callable
from itertools import count
from typing import Final

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from messaging.models import Conversation, Message, User
from messaging.services import blocks, conversations, messages, tokens
from tests.api_client import ApiClient, Json
from tests.proofs import own_of

SOME: Final = settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
MANY: Final = settings(SOME, max_examples=200, derandomize=False, database=None)

# What happens between two pages, and to which of the things there are.
happenings = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "edit", "delete", "reply"]), st.integers(0, 99)
        ),
        max_size=4,
    ),
    max_size=8,
)


class Walked:
    """A list of a world of its own, and what may happen to it."""

    path = ""
    # Where the first page begins; the cursor says it for the others.
    start = ""

    def __init__(self) -> None:
        self.reader = User.objects.create_user("reader")
        self.other = User.objects.create_user("other")
        self.client = ApiClient(
            tokens.issue_token(user=self.reader, name="test", expires_in=None).secret
        )
        self.group: Conversation = conversations.start_group(
            owner=self.reader, title="Group", usernames=["other"]
        ).conversation
        self.root = self.say("root")
        for number in range(7):
            self.add(number)

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
        there = self.messages()
        self.say("reply", there[which % len(there)] if there else self.root)

    def edit(self, which: int) -> None:
        for message in self.messages()[which % 7 :][:1]:
            message.content = f"edited {which}"
            message.save()

    def delete(self, which: int) -> None:
        for message in self.messages()[which % 7 :][:1]:
            messages.delete_message(message=own_of(self.other, message))

    def walk(self, between: list[list[tuple[str, int]]]) -> list[list[Json]]:
        """The pages of three, with what happens between them."""
        deeds: dict[str, Callable[[int], None]] = {
            "add": self.add,
            "edit": self.edit,
            "delete": self.delete,
            "reply": self.reply,
        }
        joint = "&" if "?" in self.path else "?"
        where = f"{self.path.format(self)}{joint}limit=3"
        pages: list[list[Json]] = []
        cursor = self.start
        while True:
            page = self.client.get(f"{where}{cursor}")
            assert page.status == 200, page
            pages.append(page.items)
            if page.json["next_cursor"] is None:
                return pages
            cursor = f"&cursor={page.text('next_cursor')}"
            for deed, which in between.pop(0) if between else []:
                deeds[deed](which)

    def now(self) -> list[int]:
        """The ids of the list at this moment, in its order."""
        joint = "&" if "?" in self.path else "?"
        page = self.client.get(f"{self.path.format(self)}{joint}limit=200{self.start}")
        assert page.json["next_cursor"] is None
        return [_id(item) for item in page.items]


class Timeline(Walked):
    path = "/conversations/{0.group.pk}/messages"


class CatchingUp(Walked):
    path = "/conversations/{0.group.pk}/messages"
    start = "&after_sequence=0"


class Replies(Walked):
    path = "/messages/{0.root.pk}/replies"


class Inbox(Walked):
    path = "/inbox"


class Notifications(Walked):
    path = "/notifications"


class Versions(Walked):
    """Of one message, edited on while its history is read."""

    path = "/messages/{0.root.pk}/history"

    @override
    def add(self, which: int) -> None:
        self.root.content = f"version {self.root.content_version + 1}"
        self.root.save()

    edit = reply = delete = add


class People(Walked):
    path = "/users?query=person"

    @override
    def __init__(self) -> None:
        self.numbers = count()
        super().__init__()

    @override
    def add(self, which: int) -> None:
        User.objects.create_user(f"person-{which}-{next(self.numbers)}")

    @override
    def delete(self, which: int) -> None:
        for user in User.objects.filter(username__startswith="person")[which % 7 :][:1]:
            user.delete()

    edit = reply = add


class Participants(People):
    path = "/conversations/{0.group.pk}/participants"

    @override
    def add(self, which: int) -> None:
        super().add(which)
        self.group.participants.create(user=User.objects.latest("pk"))

    edit = reply = add


class Blocks(People):
    path = "/blocks"

    @override
    def add(self, which: int) -> None:
        super().add(which)
        blocks.block(blocker=self.reader, blocked=User.objects.latest("pk"))

    edit = reply = add


LISTS: Final = (
    *(Timeline, CatchingUp, Replies, Inbox, Notifications),
    *(Versions, People, Participants, Blocks),
)


def walk(kind: type[Walked], between: list[list[tuple[str, int]]]) -> None:
    with transaction.atomic():
        walked = kind()
        before = walked.now()
        seen = [_id(item) for page in walked.walk(between) for item in page]
        stayed = set(before) & set(walked.now())
        transaction.set_rollback(True)
    # What never was may not be kept: its ids and versions come again.
    cache.clear()
    assert len(seen) == len(set(seen)), "something came twice"
    assert [one for one in before if one in stayed] == [
        one for one in seen if one in stayed and one in before
    ]


@pytest.mark.parametrize("kind", LISTS)
@SOME
@given(between=happenings)
def test_what_stays_is_seen_once(
    db: None, kind: type[Walked], between: list[list[tuple[str, int]]]
) -> None:
    walk(kind, between)


@pytest.mark.long
@pytest.mark.parametrize("kind", LISTS)
@MANY
@given(between=happenings)
def test_what_stays_is_seen_once_at_length(
    db: None, kind: type[Walked], between: list[list[tuple[str, int]]]
) -> None:
    walk(kind, between)


def _id(item: Json) -> int:
    """Of a message, or of the message, person or version that an item is about."""
    for key in ("id", "version"):
        if isinstance(number := item.get(key), int):
            return number
    user = item["user"]
    assert isinstance(user, dict)
    return _id(user)
