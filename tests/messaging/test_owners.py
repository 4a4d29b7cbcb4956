"""Groups with several owners."""

from typing import Protocol

import pytest

from messaging.access import Ownership
from messaging.errors import (
    ConversationNotFoundError,
    DomainError,
    NotOwnerError,
    OwnerRequiredError,
    ParticipantNotFoundError,
)
from messaging.models import Conversation, Participant, User
from messaging.services.conversations import rename_group
from messaging.services.deletion import preview_deletion
from messaging.services.owners import add_owner, remove_owner
from messaging.services.participants import put_participant, remove_participant
from tests.proofs import membership_of, owned_by


class ChangeOwners(Protocol):
    def __call__(self, *, group: Ownership, username: str) -> None: ...


def _owners(group: Conversation) -> set[str]:
    owners = Participant.objects.owners_of(group.pk)
    return set(owners.values_list("user__username", flat=True))


@pytest.fixture
def shared(ann: User, group: Conversation) -> Conversation:
    """Of ann and bob, with cleo."""
    add_owner(group=owned_by(ann, group), username="BOB")
    return group


def test_each_owner_may_do_what_owners_may(shared: Conversation, bob: User) -> None:
    rename_group(group=owned_by(bob, shared), title="Ours")
    add_owner(group=owned_by(bob, shared), username="cleo")
    assert _owners(shared) == {"ann", "bob", "cleo"}


def test_adding_an_owner_again_changes_nothing(shared: Conversation, bob: User) -> None:
    add_owner(group=owned_by(bob, shared), username="ann")
    assert _owners(shared) == {"ann", "bob"}


def test_an_owner_makes_another_one_a_member_again(
    shared: Conversation, bob: User
) -> None:
    remove_owner(group=owned_by(bob, shared), username="Ann")
    assert _owners(shared) == {"bob"}
    assert shared.participants.count() == 3


def test_an_owner_steps_down_if_another_remains(
    shared: Conversation, ann: User, bob: User
) -> None:
    remove_owner(group=owned_by(ann, shared), username="ann")
    assert _owners(shared) == {"bob"}
    with pytest.raises(OwnerRequiredError):
        remove_owner(group=owned_by(bob, shared), username="bob")
    assert _owners(shared) == {"bob"}


def test_removing_a_member_from_the_owners_changes_nothing(
    group: Conversation, ann: User
) -> None:
    remove_owner(group=owned_by(ann, group), username="bob")
    assert _owners(group) == {"ann"}


@pytest.mark.parametrize("change", [add_owner, remove_owner])
@pytest.mark.parametrize(
    ("until", "username", "error"),
    [
        ("owner", "nobody", ParticipantNotFoundError),
        ("member", "cleo", NotOwnerError),
        ("gone", "cleo", ConversationNotFoundError),
    ],
)
def test_a_refused_change_changes_no_owner(
    *,
    change: ChangeOwners,
    shared: Conversation,
    ann: User,
    bob: User,
    until: str,
    username: str,
    error: type[DomainError],
) -> None:
    proof = owned_by(ann, shared)
    if until == "member":
        remove_owner(group=owned_by(bob, shared), username="ann")
    elif until == "gone":
        remove_participant(membership=membership_of(bob, shared), username="ann")
    before = _owners(shared)
    with pytest.raises(error):
        change(group=proof, username=username)
    assert _owners(shared) == before


def test_handing_over_leaves_other_owners_as_they_are(
    shared: Conversation, ann: User
) -> None:
    put_participant(group=owned_by(ann, shared), username="cleo", role="owner")
    assert _owners(shared) == {"bob", "cleo"}
    roles = dict(shared.participants.values_list("user__username", "role"))
    assert roles["ann"] == "member"


def test_a_group_passes_on_only_with_the_account_of_its_last_owner(
    shared: Conversation, ann: User, bob: User
) -> None:
    assert preview_deletion(user=ann).groups_handed_over == 0
    ann.delete()
    assert _owners(shared) == {"bob"}
    assert preview_deletion(user=bob).groups_handed_over == 1
    bob.delete()
    assert _owners(shared) == {"cleo"}
