"""From what happened to what each person is told of it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging import access
from messaging.ids import ConversationId, MessageId, Position, Sequence, UserId
from messaging.models import Conversation, Message, Notification, User
from messaging.services import events, messages, participants, users
from messaging.services.deliveries import (
    DeletedMessage,
    Delivery,
    ErasedConversation,
    ReadRange,
    Seat,
    deliver,
)
from messaging.services.installation import read_clock
from messaging.services.notifications import mark_conversation_read
from messaging.services.summaries import ConversationSummary
from tests.conftest import MakeUser

BEGINNING = Position(0)


def ids(*people: User) -> frozenset[UserId]:
    return frozenset(UserId(person.pk) for person in people)


def told(*people: User, after: Position = BEGINNING) -> list[Delivery]:
    found = events.events_after(after, limit=1000)
    return deliver(found, audience=ids(*people))


def types(person: User, *, after: Position = BEGINNING) -> list[str]:
    return [delivery.type.value for delivery in told(person, after=after)]


def send(group: Conversation, sender: User, content: str = "hello") -> Message:
    return Message.objects.create(conversation=group, sender=sender, content=content)


def remove(group: Conversation, user: User) -> None:
    part = access.membership(
        reader=UserId(user.pk), conversation_id=ConversationId(group.pk)
    )
    participants.remove_participant(membership=part, username=user.username)


def add(group: Conversation, owner: User, user: User) -> None:
    owned = access.ownership(
        owner=UserId(owner.pk), conversation_id=ConversationId(group.pk)
    )
    participants.put_participant(group=owned, username=user.username, role="member")


def test_all_who_take_part_are_told_in_the_same_words(
    message: Message, ann: User, bob: User, cleo: User
) -> None:
    created = told(ann, bob, cleo)[-2:]
    assert created[0].fact == message
    assert created[0].recipients == ids(ann, bob)
    assert isinstance(created[1].fact, Notification)
    assert created[1].recipients == ids(bob)
    assert told(cleo) == []


def test_only_whom_it_is_asked_for_are_told(message: Message, bob: User) -> None:
    assert {delivery.recipients for delivery in told(bob)} == {ids(bob)}


def test_a_conversation_is_told_as_each_one_sees_it(
    message: Message, ann: User, bob: User
) -> None:
    others = {
        next(iter(delivery.recipients)): delivery.fact.other
        for delivery in told(ann, bob)
        if isinstance(delivery.fact, ConversationSummary)
    }
    assert others == {UserId(ann.pk): bob, UserId(bob.pk): ann}


def test_who_joins_is_told_of_that_and_what_follows(
    group: Conversation, ann: User, make_user: MakeUser
) -> None:
    send(group, ann)
    dora = make_user("dora")
    add(group, ann, dora)
    send(group, ann)
    assert types(dora) == [
        "participant.added",
        "message.created",
        "notification.created",
    ]


def test_who_leaves_hears_of_that_last(
    group: Conversation, ann: User, bob: User
) -> None:
    start = read_clock()
    send(group, ann)
    remove(group, bob)
    send(group, ann)
    [last] = told(bob, after=start)
    assert last.type == "participant.removed"
    assert last.fact == Seat(ConversationId(group.pk), bob)
    assert types(ann, after=start) == [
        "message.created",
        "participant.removed",
        "message.created",
    ]


def test_who_comes_back_hears_nothing_of_the_time_between(
    group: Conversation, ann: User, bob: User
) -> None:
    start = read_clock()
    remove(group, bob)
    send(group, ann, "among us")
    add(group, ann, bob)
    assert types(bob, after=start) == ["participant.removed", "participant.added"]


def test_what_was_deleted_is_not_told_any_more(
    message: Message, ann: User, bob: User
) -> None:
    send(message.conversation, bob, "reply")
    reply = Message.objects.get(content="reply")
    Message.objects.filter(pk=reply.pk).update(parent_message=message)
    Message.objects.filter(pk=message.pk).update(reply_count=1)
    for deleted in (message, reply):
        sender = UserId(deleted.sender_id or 0)
        own = access.own_message(sender=sender, message_id=MessageId(deleted.pk))
        messages.delete_message(message=own)
        contents = {
            delivery.fact.content
            for delivery in told(ann, bob)
            if isinstance(delivery.fact, Message)
        }
        assert "hello" not in contents
    facts = [
        delivery.fact
        for delivery in told(ann)
        if isinstance(delivery.fact, DeletedMessage)
    ]
    assert [(fact.sequence, fact.tombstone) for fact in facts] == [
        (1, None),
        (2, None),
        (1, None),
    ]


def test_a_tombstone_is_told_with_its_deletion(
    message: Message, ann: User, bob: User
) -> None:
    Message.objects.create(
        sender=bob, receiver=ann, content="reply", parent_message=message
    )
    own = access.own_message(sender=UserId(ann.pk), message_id=MessageId(message.pk))
    messages.delete_message(message=own)
    fact = told(bob)[-1].fact
    assert isinstance(fact, DeletedMessage)
    assert fact.tombstone == message
    assert fact.tombstone.content == ""


def test_reading_is_told_to_all_who_take_part(
    message: Message, ann: User, bob: User
) -> None:
    start = read_clock()
    part = access.membership(
        reader=UserId(bob.pk),
        conversation_id=ConversationId(message.conversation_id),
    )
    mark_conversation_read(membership=part, up_to=Sequence(1))
    [delivery] = told(ann, bob, after=start)
    conversation = ConversationId(message.conversation_id)
    assert delivery.fact == ReadRange(conversation, bob, 1, 1)
    assert delivery.recipients == ids(ann, bob)


def test_a_new_name_is_told_to_whoever_shares_a_conversation(
    message: Message, ann: User, bob: User, cleo: User
) -> None:
    start = read_clock()
    users.change_display_name(user=ann, display_name="Countess")
    [delivery] = told(ann, bob, cleo, after=start)
    assert (delivery.fact, delivery.recipients) == (ann, ids(ann, bob))


def test_that_a_conversation_is_gone_is_told_to_the_one_who_is_left(
    message: Message, ann: User, bob: User
) -> None:
    start = read_clock()
    gone = ErasedConversation(ConversationId(message.conversation_id))
    ann.delete()
    assert [delivery.fact for delivery in told(bob, after=start)] == [gone]
    # And nothing of what was said there.
    assert types(bob) == ["conversation.deleted"]


@pytest.mark.parametrize("crowd", [0, 300])
def test_the_work_does_not_grow_with_events_or_people(
    group: Conversation, ann: User, bob: User, make_user: MakeUser, crowd: int
) -> None:
    """A large audience, of which few take part, is told the same."""
    audience = ids(ann, bob) | {UserId(-number - 1) for number in range(crowd)}
    costs, found = [], []
    for size in (2, 20):
        start = read_clock()
        for number in range(size):
            send(group, ann, f"{number}")
            users.change_display_name(user=ann, display_name=f"Ann {number}")
        happened = events.events_after(start, limit=1000)
        with CaptureQueriesContext(connection) as captured:
            found.append(deliver(happened, audience=audience))
        costs.append(len(captured))
    assert costs[0] == costs[1]
    assert [len(each) for each in found] == [6, 60]
