"""Deleting large accounts: bounded in queries and memory, on either database."""

import tracemalloc

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Message, Participant, User
from messaging.models.users import MOST_DELETED_AT_ONCE
from messaging.services.conversations import start_group
from messaging.services.deletion import prepare_deletions
from tests.databases import analyze
from tests.rows import erase, insert, overwrite
from tests.transactions import Execute

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
    overwrite(Conversation.objects.filter(pk=group.pk), last_sequence=count)
    analyze()


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
        if not group.participants.filter(user=person).exists():
            insert(Participant(conversation=group, user=person))
        erase(Message.objects.filter(conversation=group))
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


@pytest.mark.django_db
def test_as_many_as_may_be_deleted_at_once_are_locked_by_either_database() -> None:
    """Each id is a parameter, of which both databases take so many."""
    prepare_deletions(user_ids=range(1, MOST_DELETED_AT_ONCE + 1))


def test_more_at_once_are_refused(
    ann: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.models.users.MOST_DELETED_AT_ONCE", 1)
    # As any deletion that fails, it fails the transaction that it is in.
    with pytest.raises(ValueError, match="at most 1 "), transaction.atomic():
        User.objects.all().delete()
    assert {*User.objects.all()} == {ann, bob}
    assert User.objects.filter(pk=ann.pk).delete()[0]


def test_locking_accounts_gives_up_if_they_are_added_again_and_again(
    ann: User, bob: User
) -> None:
    """Each time after their conversations were locked, and before the account is."""
    group = start_group(owner=bob, title="G", usernames=[]).conversation

    def add_before(
        execute: Execute,
        statement: str,
        parameters: object,
        many: bool,
        context: dict[str, object],
    ) -> object:
        if 'FROM "messaging_user" WHERE "messaging_user"."id" IN' in statement:
            insert(Participant(conversation=group, user=ann))
        return execute(statement, parameters, many, context)

    with (
        connection.execute_wrapper(add_before),
        # Answered as if the database was busy: it may be tried again.
        pytest.raises(OperationalError, match="try again"),
    ):
        prepare_deletions(user_ids={ann.pk})
    assert User.objects.filter(pk=ann.pk).exists()
