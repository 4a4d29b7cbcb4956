"""Who takes part in a group."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings

from messaging.errors import (
    ConversationNotFoundError,
    DirectConversationError,
    DomainError,
    GroupFullError,
    InvalidCursorError,
    NotOwnerError,
    OwnerRequiredError,
    ParticipantNotFoundError,
    UserNotFoundError,
)
from messaging.ids import UserId
from messaging.models import (
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.services.inbox import inbox_summary
from messaging.services.messages import edit_message
from messaging.services.owners import add_owner
from messaging.services.participant_lists import participant_page
from messaging.services.participants import put_participant, remove_participant
from tests.conftest import MakeUser
from tests.proofs import membership_of, own_of, owned_by
from tests.rows import overwrite


def _roles(group: Conversation) -> dict[str, str]:
    return dict(group.participants.values_list("user__username", "role"))


_AT_FIRST = {"ann": "owner", "bob": "member", "cleo": "member"}


def test_an_owner_adds_a_participant(
    ann: User, group: Conversation, make_user: MakeUser
) -> None:
    make_user("Dora")
    put_participant(group=owned_by(ann, group), username="dora", role="member")
    assert _roles(group) == {**_AT_FIRST, "Dora": "member"}


def test_joining_brings_no_notifications(
    ann: User, group: Conversation, make_user: MakeUser
) -> None:
    Message.objects.create(sender=ann, conversation=group, content="before")
    dora = make_user("dora")
    put_participant(group=owned_by(ann, group), username="dora", role="member")
    assert inbox_summary(reader=UserId(dora.pk)).unread_count == 0


def test_adding_a_participant_again_changes_nothing(
    ann: User, group: Conversation
) -> None:
    joined = membership_of(ann, group).joined_at
    put_participant(group=owned_by(ann, group), username="BOB", role="member")
    assert _roles(group) == _AT_FIRST
    assert membership_of(ann, group).joined_at == joined


def test_an_owner_hands_the_group_over(ann: User, group: Conversation) -> None:
    put_participant(group=owned_by(ann, group), username="Bob", role="owner")
    assert _roles(group) == {**_AT_FIRST, "ann": "member", "bob": "owner"}


def test_handing_a_group_to_oneself_changes_nothing(
    ann: User, group: Conversation
) -> None:
    put_participant(group=owned_by(ann, group), username="ann", role="owner")
    assert _roles(group) == _AT_FIRST


@pytest.mark.parametrize(
    ("username", "role", "error"),
    [
        ("nobody", "member", UserNotFoundError),
        ("dora", "member", UserNotFoundError),
        ("ANN", "member", OwnerRequiredError),
        ("nobody", "owner", ParticipantNotFoundError),
        ("dora", "owner", ParticipantNotFoundError),
    ],
)
def test_a_refused_change_changes_nobody(
    make_user: MakeUser,
    ann: User,
    group: Conversation,
    username: str,
    role: str,
    error: type[DomainError],
) -> None:
    dora = make_user("dora")
    User.objects.filter(pk=dora.pk).update(is_active=False)
    with pytest.raises(error):
        put_participant(group=owned_by(ann, group), username=username, role=role)
    assert _roles(group) == _AT_FIRST


def test_nobody_is_added_to_a_full_group(
    settings: Settings, ann: User, group: Conversation, make_user: MakeUser
) -> None:
    settings.PARLEY_MAX_PARTICIPANTS = 3
    make_user("dora")
    with pytest.raises(GroupFullError):
        put_participant(group=owned_by(ann, group), username="dora", role="member")
    put_participant(group=owned_by(ann, group), username="bob", role="member")
    assert _roles(group) == _AT_FIRST


@pytest.mark.parametrize("role", ["member", "owner"])
def test_a_former_owner_changes_no_participant(
    ann: User, group: Conversation, make_user: MakeUser, role: str
) -> None:
    make_user("dora")
    proof = owned_by(ann, group)
    put_participant(group=proof, username="bob", role="owner")
    with pytest.raises(NotOwnerError):
        put_participant(
            group=proof, username="dora" if role == "member" else "cleo", role=role
        )
    assert _roles(group) == {**_AT_FIRST, "ann": "member", "bob": "owner"}


def test_a_member_leaves(bob: User, group: Conversation) -> None:
    remove_participant(membership=membership_of(bob, group), username="BOB")
    assert _roles(group) == {"ann": "owner", "cleo": "member"}


def test_an_owner_removes_a_member(ann: User, group: Conversation) -> None:
    remove_participant(membership=membership_of(ann, group), username="cleo")
    assert _roles(group) == {"ann": "owner", "bob": "member"}


def test_a_member_removes_nobody(bob: User, group: Conversation) -> None:
    for username in ("cleo", "ann", "nobody"):
        with pytest.raises(NotOwnerError):
            remove_participant(membership=membership_of(bob, group), username=username)
    assert _roles(group) == _AT_FIRST


def test_a_user_outside_the_group_cannot_be_removed(
    ann: User, group: Conversation
) -> None:
    with pytest.raises(ParticipantNotFoundError):
        remove_participant(membership=membership_of(ann, group), username="nobody")
    assert _roles(group) == _AT_FIRST


def test_a_removed_member_cannot_leave(
    ann: User, bob: User, group: Conversation
) -> None:
    proof = membership_of(bob, group)
    remove_participant(membership=membership_of(ann, group), username="bob")
    with pytest.raises(ConversationNotFoundError):
        remove_participant(membership=proof, username="bob")
    assert _roles(group) == {"ann": "owner", "cleo": "member"}


def test_nobody_leaves_a_direct_conversation(ann: User, message: Message) -> None:
    for username in ("ann", "bob"):
        with pytest.raises(DirectConversationError):
            remove_participant(
                membership=membership_of(ann, message.conversation), username=username
            )
    assert Participant.objects.count() == 2


def test_a_group_whose_owner_leaves_passes_to_its_longest_member(
    ann: User, bob: User, cleo: User, group: Conversation
) -> None:
    overwrite(Participant.objects.filter(user=bob), joined_at=timezone.now())
    remove_participant(membership=membership_of(ann, group), username="ann")
    assert _roles(group) == {"cleo": "owner", "bob": "member"}


def test_a_group_with_another_owner_needs_no_heir(
    ann: User, cleo: User, group: Conversation
) -> None:
    add_owner(group=owned_by(ann, group), username="cleo")
    remove_participant(membership=membership_of(ann, group), username="ann")
    assert _roles(group) == {"bob": "member", "cleo": "owner"}


def test_an_owner_removes_another_owner(ann: User, group: Conversation) -> None:
    add_owner(group=owned_by(ann, group), username="cleo")
    remove_participant(membership=membership_of(ann, group), username="cleo")
    assert _roles(group) == {"ann": "owner", "bob": "member"}


def test_a_group_goes_with_its_last_member(
    ann: User, bob: User, group: Conversation, message: Message
) -> None:
    sent = Message.objects.create(sender=ann, conversation=group, content="one")
    Message.objects.create(
        sender=bob, conversation=group, content="two", parent_message=sent
    )
    edit_message(message=own_of(ann, sent), content="three")
    for name, person in (("bob", bob), ("cleo", None), ("ann", ann)):
        remove_participant(
            membership=membership_of(person or ann, group), username=name
        )
    assert Conversation.objects.get() == message.conversation
    assert Message.objects.get() == message
    assert Notification.objects.get().message == message
    assert not MessageHistory.objects.exists()


def test_a_leavers_messages_stay(ann: User, bob: User, group: Conversation) -> None:
    sent = Message.objects.create(sender=bob, conversation=group, content="bye")
    remove_participant(membership=membership_of(bob, group), username="bob")
    assert Message.objects.get() == sent
    assert Message.objects.get().sender == bob


def test_participants_are_listed_in_the_order_they_came(
    ann: User, group: Conversation
) -> None:
    membership = membership_of(ann, group)
    first = participant_page(membership=membership, cursor=None, limit=2)
    rest = participant_page(membership=membership, cursor=first.next_cursor, limit=2)
    assert [row.user.username for row in first.items] == ["ann", "bob"]
    assert [row.user.username for row in rest.items] == ["cleo"]
    assert rest.next_cursor is None
    with pytest.raises(InvalidCursorError):
        participant_page(membership=membership, cursor="x", limit=2)


def test_a_participant_is_called_by_ids(ann: User, group: Conversation) -> None:
    assert str(membership_of(ann, group)) == f"{ann.pk} in {group.pk}"


@pytest.fixture
def rejoin(ann: User, group: Conversation) -> Callable[[User], None]:
    def leave_and_return(user: User) -> None:
        remove_participant(
            membership=membership_of(user, group), username=user.username
        )
        put_participant(
            group=owned_by(ann, group), username=user.username, role="member"
        )

    return leave_and_return


def test_coming_back_brings_no_old_notifications(
    ann: User, bob: User, group: Conversation, rejoin: Callable[[User], None]
) -> None:
    Message.objects.create(sender=ann, conversation=group, content="one")
    rejoin(bob)
    assert inbox_summary(reader=UserId(bob.pk)).unread_count == 0
