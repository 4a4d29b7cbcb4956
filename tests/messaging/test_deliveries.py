"""Fan-out: from an event to what is delivered to each user."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging import access
from messaging.ids import ConversationId, MessageId, Position, Sequence, UserId
from messaging.models import Conversation, Event, Message, User
from messaging.projections import (
    MessageProjection,
    NotificationProjection,
    UserProjection,
)
from messaging.services import events, messages, participants, users
from messaging.services.deliveries import (
    DeletedMessage,
    Delivery,
    ErasedConversation,
    ParticipantChange,
    ReadRange,
    deliver,
)
from messaging.services.installation import read_clock
from messaging.services.summaries import ConversationSummary
from tests.conftest import MakeUser
from tests.reading import read_up_to
from tests.rows import overwrite

BEGINNING = Position(0)


def ids(*people: User) -> frozenset[UserId]:
    return frozenset(UserId(person.pk) for person in people)


def deliveries_to(*people: User, after: Position = BEGINNING) -> list[Delivery]:
    return deliver(numbered_events(after=after), audience=ids(*people))


def numbered_events(*, after: Position) -> list[Event]:
    # As those do who deliver: what has no position gets one.
    events.read_log()
    return events.events_after(after, limit=1000)


def types(person: User, *, after: Position = BEGINNING) -> list[str]:
    return [delivery.type.value for delivery in deliveries_to(person, after=after)]


def send(group: Conversation, sender: User, content: str = "hello") -> Message:
    return Message.objects.create(conversation=group, sender=sender, content=content)


def remove(group: Conversation, user: User) -> None:
    membership = access.membership(
        reader=UserId(user.pk), conversation_id=ConversationId(group.pk)
    )
    participants.remove_participant(membership=membership, username=user.username)


def add(group: Conversation, owner: User, user: User) -> None:
    owned = access.ownership(
        owner=UserId(owner.pk), conversation_id=ConversationId(group.pk)
    )
    participants.put_participant(group=owned, username=user.username, role="member")


def test_all_participants_receive_the_same_event(
    message: Message, ann: User, bob: User, cleo: User
) -> None:
    created = deliveries_to(ann, bob, cleo)[-2:]
    assert created[0].payload == message.projection()
    assert created[0].recipients == ids(ann, bob)
    assert isinstance(created[1].payload, NotificationProjection)
    assert created[1].recipients == ids(bob)
    assert deliveries_to(cleo) == []


def test_events_are_delivered_only_to_the_requested_users(
    message: Message, bob: User
) -> None:
    assert {delivery.recipients for delivery in deliveries_to(bob)} == {ids(bob)}


def test_a_conversation_event_is_composed_for_each_recipient(
    message: Message, ann: User, bob: User
) -> None:
    others = {
        next(iter(delivery.recipients)): delivery.payload.participant
        for delivery in deliveries_to(ann, bob)
        if isinstance(delivery.payload, ConversationSummary)
    }
    shown = {person: UserProjection.from_instance(person) for person in (ann, bob)}
    assert others == {UserId(ann.pk): shown[bob], UserId(bob.pk): shown[ann]}


def test_a_new_participant_receives_their_joining_and_later_events(
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


def test_leaving_is_the_last_event_a_participant_receives(
    group: Conversation, ann: User, bob: User
) -> None:
    start = read_clock()
    send(group, ann)
    remove(group, bob)
    send(group, ann)
    [last] = deliveries_to(bob, after=start)
    assert last.type == "participant.removed"
    assert last.payload == ParticipantChange(ConversationId(group.pk), bob)
    assert types(ann, after=start) == [
        "message.created",
        "participant.removed",
        "message.created",
    ]


def test_a_returning_participant_receives_no_events_of_their_absence(
    group: Conversation, ann: User, bob: User
) -> None:
    start = read_clock()
    remove(group, bob)
    send(group, ann, "among us")
    add(group, ann, bob)
    assert types(bob, after=start) == ["participant.removed", "participant.added"]


def test_events_of_deleted_messages_are_not_delivered(
    message: Message, ann: User, bob: User
) -> None:
    send(message.conversation, bob, "reply")
    reply = Message.objects.get(content="reply")
    overwrite(Message.objects.filter(pk=reply.pk), parent_message=message)
    overwrite(Message.objects.filter(pk=message.pk), reply_count=1)
    for deleted in (message, reply):
        sender = UserId(deleted.sender_id or 0)
        own = access.own_message(sender=sender, message_id=MessageId(deleted.pk))
        messages.delete_message(message=own)
        contents = {
            delivery.payload.content
            for delivery in deliveries_to(ann, bob)
            if isinstance(delivery.payload, MessageProjection)
        }
        assert "hello" not in contents
    facts = [
        delivery.payload
        for delivery in deliveries_to(ann)
        if isinstance(delivery.payload, DeletedMessage)
    ]
    assert [(payload.sequence, payload.tombstone) for payload in facts] == [
        (1, None),
        (2, None),
        (1, None),
    ]


def test_the_deletion_of_a_message_with_replies_delivers_its_tombstone(
    message: Message, ann: User, bob: User
) -> None:
    Message.objects.create(
        sender=bob, receiver=ann, content="reply", parent_message=message
    )
    own = access.own_message(sender=UserId(ann.pk), message_id=MessageId(message.pk))
    messages.delete_message(message=own)
    payload = deliveries_to(bob)[-1].payload
    assert isinstance(payload, DeletedMessage)
    assert payload.tombstone is not None
    assert payload.tombstone.id == message.pk
    assert payload.tombstone.content == ""


def test_reading_is_delivered_to_all_participants(
    message: Message, ann: User, bob: User
) -> None:
    start = read_clock()
    membership = access.membership(
        reader=UserId(bob.pk),
        conversation_id=ConversationId(message.conversation_id),
    )
    read_up_to(membership=membership, up_to=Sequence(1))
    [delivery] = deliveries_to(ann, bob, after=start)
    conversation = ConversationId(message.conversation_id)
    assert delivery.payload == ReadRange(conversation, bob, 1, 1)
    assert delivery.recipients == ids(ann, bob)


def test_a_new_name_is_delivered_to_all_contacts(
    message: Message, ann: User, bob: User, cleo: User
) -> None:
    start = read_clock()
    users.change_display_name(user=ann, display_name="Countess")
    [delivery] = deliveries_to(ann, bob, cleo, after=start)
    assert (delivery.payload, delivery.recipients) == (ann, ids(ann, bob))


def test_a_deleted_conversation_is_delivered_to_the_other_user(
    message: Message, ann: User, bob: User
) -> None:
    start = read_clock()
    gone = ErasedConversation(ConversationId(message.conversation_id))
    ann.delete()
    assert [delivery.payload for delivery in deliveries_to(bob, after=start)] == [gone]
    # And nothing of what was said there.
    assert types(bob) == ["conversation.deleted"]


@pytest.mark.parametrize("crowd", [0, 300])
def test_the_work_does_not_grow_with_events_or_people(
    group: Conversation, ann: User, bob: User, make_user: MakeUser, crowd: int
) -> None:
    """A large audience, of which few take part, gets the same."""
    audience = ids(ann, bob) | {UserId(-number - 1) for number in range(crowd)}
    costs, found = [], []
    for size in (2, 20):
        start = read_clock()
        for number in range(size):
            send(group, ann, f"{number}")
            users.change_display_name(user=ann, display_name=f"Ann {number}")
        happened = numbered_events(after=start)
        with CaptureQueriesContext(connection) as captured:
            found.append(deliver(happened, audience=audience))
        costs.append(len(captured))
    assert costs[0] == costs[1]
    assert [len(each) for each in found] == [6, 60]
