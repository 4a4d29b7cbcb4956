"""Conversations: opening, listing and naming them."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from messaging.cursors import encode_cursor
from messaging.database import OnTimeline
from messaging.errors import (
    ConversationNotFoundError,
    GroupFullError,
    InvalidCursorError,
    InvalidTitleError,
    NotOwnerError,
    SelfMessageError,
    UnknownMemberError,
)
from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, Installation, Message, Participant, User
from messaging.projections import UserProjection
from messaging.services.conversations import (
    open_direct,
    page_version,
    rename_group,
    start_group,
)
from messaging.services.messages import delete_message
from messaging.services.notifications import mark_message_read
from messaging.services.participants import remove_participant
from messaging.services.summaries import (
    ConversationSummary,
    conversation_page,
    conversation_summary,
)
from tests.proofs import membership_of, own_of, owned_by, received_by
from tests.rows import overwrite


def _last(row: ConversationSummary) -> int | None:
    return None if row.last_message is None else row.last_message.pk


def test_two_people_have_one_conversation_whoever_begins(ann: User, bob: User) -> None:
    first = open_direct(one=UserId(ann.pk), other=UserId(bob.pk))
    again = open_direct(one=UserId(bob.pk), other=UserId(ann.pk))
    assert (first.created, again.created) == (True, False)
    assert again.conversation == first.conversation
    assert first.conversation.is_direct
    assert set(Participant.objects.values_list("user", "role")) == {
        (ann.pk, "member"),
        (bob.pk, "member"),
    }


def test_nobody_converses_with_themselves(ann: User) -> None:
    with pytest.raises(SelfMessageError):
        open_direct(one=UserId(ann.pk), other=UserId(ann.pk))
    assert not Conversation.objects.exists()


def test_a_group_has_its_owner_and_those_named_once(
    ann: User, bob: User, cleo: User
) -> None:
    opened = start_group(
        owner=ann, title=" Team ", usernames=["BOB", "bob", "cleo", "Ann"]
    )
    assert opened.created
    assert str(opened.conversation) == "Team"
    assert set(opened.conversation.participants.values_list("user", "role")) == {
        (ann.pk, "owner"),
        (bob.pk, "member"),
        (cleo.pk, "member"),
    }


def test_a_group_of_the_same_people_is_another_group(
    ann: User, group: Conversation
) -> None:
    other = start_group(owner=ann, title="Team", usernames=["bob", "cleo"])
    assert other.conversation != group


def test_a_group_may_be_of_one(ann: User) -> None:
    start_group(owner=ann, title="Notes", usernames=[])
    assert Participant.objects.get().user == ann


def test_unknown_and_suspended_members_are_named(ann: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    with pytest.raises(UnknownMemberError, match=r"bob, dora\.") as refusal:
        start_group(owner=ann, title="Team", usernames=["Dora", "bob"])
    assert refusal.value.field == "participants"
    assert not Conversation.objects.exists()


def test_a_group_needs_a_title(ann: User) -> None:
    with pytest.raises(InvalidTitleError):
        start_group(owner=ann, title=" ", usernames=[])
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(("most", "fits"), [(3, True), (2, False)])
def test_a_group_has_at_most_as_many_people_as_are_allowed(
    settings: Settings, ann: User, bob: User, cleo: User, most: int, fits: bool
) -> None:
    settings.PARLEY_MAX_PARTICIPANTS = most
    if fits:
        start_group(owner=ann, title="Team", usernames=["ann", "bob", "cleo"])
    else:
        with pytest.raises(GroupFullError, match="at most 2 "):
            start_group(owner=ann, title="Team", usernames=["bob", "cleo"])
    assert Conversation.objects.exists() == fits


def test_a_new_title_renews_the_page(ann: User, group: Conversation) -> None:
    rename_group(group=owned_by(ann, group), title=" Crew ")
    renamed = Conversation.objects.get()
    assert (renamed.title, renamed.version) == ("Crew", group.version + 1)


def test_a_refused_title_changes_nothing(ann: User, group: Conversation) -> None:
    with pytest.raises(InvalidTitleError):
        rename_group(group=owned_by(ann, group), title="a\nb")
    stored = Conversation.objects.get()
    assert (stored.title, stored.version) == ("Team", group.version)


def test_an_owner_who_left_concurrently_renames_nothing(
    ann: User, group: Conversation
) -> None:
    proof = owned_by(ann, group)
    remove_participant(membership=membership_of(ann, group), username="ann")
    with pytest.raises(ConversationNotFoundError):
        rename_group(group=proof, title="Crew")
    assert Conversation.objects.get().title == "Team"


def test_a_pages_version_names_database_and_state(
    bob: User, group: Conversation
) -> None:
    overwrite(Conversation.objects.all(), version=7)
    page = page_version(reader=UserId(bob.pk), conversation_id=ConversationId(group.pk))
    assert (page.conversation_id, page.version) == (group.pk, 7)
    (epoch,) = Installation.objects.values_list(OnTimeline("epoch"), flat=True)
    assert page.epoch == epoch


def test_a_stranger_learns_no_version(cleo: User, message: Message) -> None:
    with pytest.raises(ConversationNotFoundError):
        page_version(
            reader=UserId(cleo.pk),
            conversation_id=ConversationId(message.conversation_id),
        )


def test_the_most_recently_active_conversation_comes_first(
    ann: User, bob: User, group: Conversation, message: Message
) -> None:
    page = conversation_page(reader=UserId(ann.pk), cursor=None, limit=10)
    assert [row.id for row in page.items] == [message.conversation_id, group.pk]
    Message.objects.create(sender=bob, conversation=group, content="news")
    page = conversation_page(reader=UserId(ann.pk), cursor=None, limit=10)
    assert [row.id for row in page.items] == [group.pk, message.conversation_id]


def test_a_summary_shows_a_conversation_as_its_reader_sees_it(
    ann: User, bob: User, message: Message
) -> None:
    for reader, other, unread in ((ann, bob, 0), (bob, ann, 1)):
        (row,) = conversation_page(
            reader=UserId(reader.pk), cursor=None, limit=10
        ).items
        assert row.participant == UserProjection.from_instance(other)
        assert (row.role, row.participant_count) == ("member", 2)
        assert (row.unread_count, _last(row)) == (unread, message.pk)


def test_a_new_group_has_nothing_in_it(ann: User, group: Conversation) -> None:
    row = conversation_summary(membership=membership_of(ann, group))
    assert (row.id, row.role, row.participant) == (group.pk, "owner", None)
    assert (row.participant_count, row.unread_count, row.last_message) == (3, 0, None)


def test_a_summary_counts_only_what_its_reader_has_not_read(
    ann: User, bob: User, cleo: User, group: Conversation
) -> None:
    sent = [
        Message.objects.create(sender=ann, conversation=group, content=str(number))
        for number in range(3)
    ]
    mark_message_read(message=received_by(bob, sent[0]), reader=UserId(bob.pk))
    counts = {
        person.username: conversation_summary(
            membership=membership_of(person, group)
        ).unread_count
        for person in (ann, bob, cleo)
    }
    assert counts == {"ann": 0, "bob": 2, "cleo": 3}


def test_the_last_message_is_the_newest_that_is_left(
    ann: User, message: Message, bob: User
) -> None:
    newer = Message.objects.create(sender=ann, receiver=bob, content="oops")
    delete_message(message=own_of(ann, newer))
    row = conversation_summary(membership=membership_of(ann, message.conversation))
    assert _last(row) == message.pk
    assert row.last_sequence == 2


def test_conversations_of_one_moment_are_paged_without_loss(ann: User) -> None:
    ids = [
        start_group(owner=ann, title=str(number), usernames=[]).conversation.pk
        for number in range(5)
    ]
    moment = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)
    overwrite(Conversation.objects.filter(pk__in=ids[:4]), last_activity_at=moment)
    found, cursor = [], None
    for _ in range(3):
        page = conversation_page(reader=UserId(ann.pk), cursor=cursor, limit=2)
        found += [row.id for row in page.items]
        cursor = page.next_cursor
    assert found == [ids[4], *reversed(ids[:4])]
    assert cursor is None


@pytest.mark.parametrize("place", [(), (1,), (1, 2, 3), (2**62, 1)])
def test_a_list_of_conversations_refuses_an_invalid_cursor(
    ann: User, place: tuple[int, ...]
) -> None:
    cursor = encode_cursor("conversations", *place)
    with pytest.raises(InvalidCursorError):
        conversation_page(reader=UserId(ann.pk), cursor=cursor, limit=2)


def test_a_list_holds_no_one_elses_conversations(cleo: User, message: Message) -> None:
    page = conversation_page(reader=UserId(cleo.pk), cursor=None, limit=2)
    assert page.items == []


def test_a_direct_conversation_is_called_by_its_id(message: Message) -> None:
    conversation = message.conversation
    assert str(conversation) == f"direct conversation {conversation.pk}"


def test_a_member_cannot_prove_ownership_to_rename(
    bob: User, group: Conversation
) -> None:
    with pytest.raises(NotOwnerError):
        rename_group(group=owned_by(bob, group), title="Bob's")
    assert Conversation.objects.get().title == "Team"
