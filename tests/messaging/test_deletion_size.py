"""Deleting large accounts: bounded in queries and memory, on either database."""

import tracemalloc

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Message, Participant, User
from messaging.services.conversations import start_group

MEGABYTE = 1024 * 1024


def fill(
    group: Conversation, senders: list[User], count: int, *, chained: bool
) -> None:
    """Messages of these senders in turn; a chain of replies, or all beside each other."""
    first = (
        Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    ) + 1
    everyday: QuerySet[Message] = QuerySet(Message)
    everyday.bulk_create(
        (
            Message(
                pk=first + place,
                conversation=group,
                sequence=place + 1,
                sender=senders[place % len(senders)],
                content="hello",
                read=True,
                parent_message_id=first + place - 1 if chained and place else None,
                reply_count=1 if chained and place < count - 1 else 0,
            )
            for place in range(count)
        ),
        batch_size=500,
    )
    Conversation.objects.filter(pk=group.pk).update(last_sequence=count)


def queries_to_delete(user: User) -> int:
    with CaptureQueriesContext(connection) as captured:
        user.delete()
    return len(captured)


@pytest.fixture
def group(ann: User, bob: User) -> Conversation:
    return start_group(owner=bob, title="G", usernames=["ann"]).conversation


@pytest.mark.parametrize("chained", [True, False])
def test_the_number_of_queries_does_not_depend_on_the_number_of_messages(
    chained: bool, ann: User, bob: User, cleo: User, group: Conversation
) -> None:
    numbers = []
    for person, count in ((ann, 6), (cleo, 3000)):
        Participant.objects.get_or_create(conversation=group, user=person)
        everyday: QuerySet[Message] = QuerySet(Message)
        everyday.filter(conversation=group)._raw_delete("default")
        fill(group, [person, bob], count, chained=chained)
        numbers.append(queries_to_delete(person))
    assert numbers[0] == numbers[1]


def test_every_second_message_of_a_chain_10_000_deep_becomes_a_tombstone(
    ann: User, bob: User, group: Conversation
) -> None:
    fill(group, [ann, bob], 10_000, chained=True)
    ann.delete()
    assert Message.objects.filter(sender=bob).count() == 5000
    assert Message.objects.filter(sender=None).count() == 5000


def test_a_chain_whose_last_message_is_theirs_loses_its_end(
    ann: User, bob: User, group: Conversation
) -> None:
    fill(group, [bob, ann], 10_000, chained=True)
    ann.delete()
    assert Message.objects.count() == 9999
    last = Message.objects.latest("sequence")
    assert (last.sender, last.reply_count) == (bob, 0)


def test_deleting_100_000_messages_loads_none_of_them(
    ann: User, bob: User, group: Conversation
) -> None:
    fill(group, [ann], 100_000, chained=False)
    tracemalloc.start()
    try:
        ann.delete()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not Message.objects.exists()
    assert peak < 5 * MEGABYTE
