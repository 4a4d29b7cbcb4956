"""Invitations: who may make them, whom they let in, and what ends them."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from messaging import access
from messaging.access import Inviter, inviter
from messaging.errors import (
    GroupFullError,
    InvalidInviteError,
    InvitationNotFoundError,
    RateLimitedError,
    RightsRequiredError,
    TooManyInvitationsError,
)
from messaging.ids import ConversationId, InvitationId, UserId
from messaging.models import Block, Conversation, InviteCode, Participant, Removal, User
from messaging.models.users import WhoMayAdd
from messaging.rates import Rate
from messaging.services import (
    blocks,
    invite_codes,
    invites,
    owners,
    participants,
    users,
)
from messaging.services.consistency import find_inconsistencies, repair_inconsistencies
from messaging.services.conversations import start_group
from messaging.services.deletion import delete_account, preview_deletion
from messaging.services.exports import export_account
from messaging.services.invites import IssuedInvitation
from messaging.services.joining import join_group
from messaging.services.limits import counted_guess
from messaging.services.users import Registration
from tests.conftest import PASSWORD, MakeUser, RunBeforeQuery
from tests.messaging.logged import logged_by
from tests.proofs import membership_of, owned_by
from tests.tables import all_rows

DAY = timedelta(days=1)
ENDS = ("unknown", "expired", "used up", "revoked", "suspended maker")


@pytest.fixture
def dora(make_user: MakeUser) -> User:
    return make_user("dora")


def invite(owner: User, group: Conversation, *, uses: int = 5) -> IssuedInvitation:
    return invites.create_group_invitation(
        group=owned_by(owner, group), uses=uses, expires_in=DAY
    )


def administrator(user: User) -> Inviter:
    user.is_superuser = True
    user.save()
    maker = inviter(user)
    assert maker is not None
    return maker


def takes_part(user: User, group: Conversation) -> bool:
    return Participant.objects.filter(user=user, conversation=group).exists()


def end(issued: IssuedInvitation, how: str) -> None:
    row = InviteCode.objects.filter(pk=issued.invitation.pk)
    if how in {"unknown", "revoked"}:
        row.delete()
    elif how == "expired":
        row.update(expires_at=timezone.now())
    elif how == "used up":
        row.update(used=issued.invitation.max_uses)
    else:
        User.objects.filter(pk=issued.invitation.created_by_id or 0).update(
            is_active=False
        )


def test_who_has_a_link_joins_as_if_they_were_added(
    group: Conversation, ann: User, dora: User
) -> None:
    issued = invite(ann, group)
    version = Conversation.objects.get(pk=group.pk).version
    joined = partial(join_group, user=dora, code=issued.code)
    [event] = logged_by(joined)
    assert (event.type, event.user_id) == ("participant.added", dora.pk)
    assert event.recipient_id is None
    row = Participant.objects.get(user=dora, conversation=group)
    assert (row.role, row.joined_position) == ("member", event.pk)
    assert Conversation.objects.get(pk=group.pk).version == version + 1
    assert InviteCode.objects.get().used == 1


def test_who_takes_part_uses_nothing_up(
    group: Conversation, ann: User, dora: User
) -> None:
    issued = invite(ann, group, uses=1)
    assert join_group(user=dora, code=issued.code).new
    before = all_rows()
    # The answer was lost, and the code is used up by their own first try.
    assert not join_group(user=dora, code=issued.code).new
    assert invite_codes.invitation_shown(code=issued.code, reader=dora).joined
    assert all_rows() == before


def test_a_setting_about_being_added_does_not_keep_people_from_joining(
    group: Conversation, ann: User, dora: User
) -> None:
    users.set_who_may_add(user=dora, who_may_add=WhoMayAdd.NOBODY)
    join_group(user=dora, code=invite(ann, group).code)
    assert takes_part(dora, group)


@pytest.mark.parametrize("how", ENDS)
def test_an_invitation_that_has_ended_lets_nobody_in(
    group: Conversation, ann: User, dora: User, how: str
) -> None:
    issued = invite(ann, group)
    end(issued, how)
    before = all_rows()
    for ask in (
        partial(join_group, user=dora, code=issued.code),
        partial(invite_codes.invitation_shown, code=issued.code, reader=dora),
        partial(invite_codes.invitation_shown, code=issued.code, reader=None),
    ):
        with pytest.raises(InvalidInviteError) as refused:
            ask()
        assert str(refused.value) == str(invite_codes.invalid_invite())
    assert all_rows() == before


def test_whom_an_owner_removed_comes_back_when_an_owner_adds_them(
    group: Conversation, ann: User, bob: User
) -> None:
    old = invite(ann, group)
    participants.remove_participant(membership=owned_by(ann, group), username="bob")
    new = invite(ann, group)
    for issued in (old, new):
        with pytest.raises(InvalidInviteError):
            join_group(user=bob, code=issued.code)
        with pytest.raises(InvalidInviteError):
            invite_codes.invitation_shown(code=issued.code, reader=bob)
    assert not takes_part(bob, group)
    participants.put_participant(
        group=owned_by(ann, group), username="bob", role="member"
    )
    assert not Removal.objects.exists()
    participants.remove_participant(
        membership=membership_of(bob, group), username="bob"
    )
    # Who left by themselves may come back.
    join_group(user=bob, code=new.code)
    assert takes_part(bob, group)


def test_whom_the_maker_blocks_is_not_let_in(
    group: Conversation, ann: User, dora: User
) -> None:
    issued = invite(ann, group)
    blocks.block(blocker=ann, blocked=dora)
    with pytest.raises(InvalidInviteError):
        join_group(user=dora, code=issued.code)
    assert not takes_part(dora, group)


def test_who_blocks_the_maker_may_join_all_the_same(
    group: Conversation, ann: User, dora: User
) -> None:
    blocks.block(blocker=dora, blocked=ann)
    join_group(user=dora, code=invite(ann, group).code)
    assert takes_part(dora, group)
    assert Block.objects.filter(blocker=dora, blocked=ann).exists()


def test_a_full_group_takes_nobody_and_uses_nothing_up(
    group: Conversation, ann: User, dora: User, settings: Settings
) -> None:
    issued = invite(ann, group)
    settings.PARLEY_MAX_PARTICIPANTS = Participant.objects.filter(
        conversation=group
    ).count()
    with pytest.raises(GroupFullError):
        join_group(user=dora, code=issued.code)
    assert InviteCode.objects.get().used == 0
    assert not takes_part(dora, group)


def test_a_code_of_the_server_joins_no_group(ann: User, dora: User) -> None:
    issued = invites.create_server_invitation(
        maker=administrator(ann), uses=1, expires_in=DAY
    )
    with pytest.raises(InvalidInviteError):
        join_group(user=dora, code=issued.code)


@pytest.mark.parametrize("how", ["steps down", "hands over", "leaves", "is removed"])
def test_what_an_owner_made_ends_when_they_own_the_group_no_more(
    group: Conversation, ann: User, bob: User, how: str
) -> None:
    owners.add_owner(group=owned_by(ann, group), username="bob")
    theirs, others = invite(ann, group), invite(bob, group)
    if how == "steps down":
        owners.remove_owner(group=owned_by(ann, group), username="ann")
    elif how == "hands over":
        owners.hand_over(group=owned_by(ann, group), username="bob")
    else:
        by = bob if how == "is removed" else ann
        participants.remove_participant(
            membership=membership_of(by, group), username="ann"
        )
    left = InviteCode.objects.get()
    assert left.pk == others.invitation.pk != theirs.invitation.pk


def test_staff_invite_to_the_server_by_a_permission(ann: User) -> None:
    permission = Permission.objects.get(codename="add_invitecode")
    ann.user_permissions.add(permission)
    assert inviter(User.objects.get(pk=ann.pk)) is None
    User.objects.filter(pk=ann.pk).update(is_staff=True)
    assert inviter(User.objects.get(pk=ann.pk)) is not None
    ann.user_permissions.clear()
    assert inviter(User.objects.get(pk=ann.pk)) is None


def test_where_an_account_takes_an_invitation_a_groups_does_not_do(
    group: Conversation, ann: User, settings: Settings
) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    issued = invite(ann, group)
    assert not invite_codes.invitation_shown(
        code=issued.code, reader=None
    ).opens_account
    with pytest.raises(InvalidInviteError):
        users.register(
            username="eve",
            password=PASSWORD,
            display_name=None,
            invite_code=issued.code,
        )
    assert InviteCode.objects.get().used == 0


@pytest.mark.parametrize("registration", ["invite", "open"])
def test_an_administrators_invitation_to_a_group_opens_an_account_in_it(
    group: Conversation, ann: User, settings: Settings, registration: str
) -> None:
    settings.PARLEY_REGISTRATION = registration
    administrator(ann)
    issued = invite(ann, group, uses=1)
    assert invite_codes.invitation_shown(code=issued.code, reader=None).opens_account
    eve = register_eve(issued.code).user
    assert takes_part(eve, group)
    assert InviteCode.objects.get().used == 1


@pytest.mark.parametrize("how", [*ENDS, "full"])
def test_where_anybody_registers_an_ended_invitation_only_joins_nothing(
    group: Conversation, ann: User, settings: Settings, how: str
) -> None:
    issued = invite(ann, group)
    if how == "full":
        settings.PARLEY_MAX_PARTICIPANTS = 1
    else:
        end(issued, how)
    used = InviteCode.objects.values_list("used", flat=True).first()
    eve = register_eve(issued.code).user
    assert not takes_part(eve, group)
    assert InviteCode.objects.values_list("used", flat=True).first() == used


def register_eve(code: str) -> Registration:
    return users.register(
        username="eve", password=PASSWORD, display_name=None, invite_code=code
    )


def test_an_invitation_ends_when_its_maker_may_invite_no_more(
    ann: User, settings: Settings
) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    issued = invites.create_server_invitation(
        maker=administrator(ann), uses=5, expires_in=DAY
    )
    assert invite_codes.invitation_shown(code=issued.code, reader=None).opens_account
    User.objects.filter(pk=ann.pk).update(is_superuser=False)
    before = all_rows()
    for ask in (
        partial(invite_codes.invitation_shown, code=issued.code, reader=None),
        partial(register_eve, issued.code),
    ):
        with pytest.raises(InvalidInviteError) as refused:
            ask()
        assert str(refused.value) == str(invite_codes.invalid_invite())
    assert all_rows() == before
    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    register_eve(issued.code)


def test_an_invitation_made_at_the_command_line_has_no_maker_to_ask(
    settings: Settings,
) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    register_eve(invites.create_invite(uses=1, expires_in=DAY))
    assert User.objects.filter(username="eve").exists()


def test_an_invitation_to_a_group_opens_no_account_once_its_maker_may_not_invite(
    group: Conversation, ann: User, dora: User, settings: Settings
) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    administrator(ann)
    issued = invite(ann, group)
    User.objects.filter(pk=ann.pk).update(is_superuser=False)
    assert not invite_codes.invitation_shown(
        code=issued.code, reader=None
    ).opens_account
    with pytest.raises(InvalidInviteError):
        register_eve(issued.code)
    assert InviteCode.objects.get().used == 0
    join_group(user=dora, code=issued.code)
    assert takes_part(dora, group)


def test_making_and_revoking_for_the_server_ask_the_right_again(ann: User) -> None:
    maker = administrator(ann)
    issued = invites.create_server_invitation(maker=maker, uses=1, expires_in=DAY)
    User.objects.filter(pk=ann.pk).update(is_superuser=False)
    before = all_rows()
    for ask in (
        partial(invites.create_server_invitation, maker=maker, uses=1, expires_in=DAY),
        partial(
            invites.revoke_server_invitation,
            by=maker,
            invitation_id=InvitationId(issued.invitation.pk),
        ),
    ):
        with pytest.raises(RightsRequiredError):
            ask()
    assert all_rows() == before


@pytest.mark.parametrize("ends", [{"is_active": False}, {"is_superuser": False}])
def test_links_of_makers_whose_part_ended_take_no_room(
    ann: User, bob: User, monkeypatch: pytest.MonkeyPatch, ends: dict[str, bool]
) -> None:
    monkeypatch.setattr(invites, "MOST", 2)
    makers = administrator(ann), administrator(bob)

    def make(maker: Inviter) -> None:
        invites.create_server_invitation(maker=maker, uses=1, expires_in=DAY)

    for maker in makers:
        make(maker)
    with pytest.raises(TooManyInvitationsError):
        make(makers[1])
    User.objects.filter(pk=ann.pk).update(**ends)
    make(makers[1])
    with pytest.raises(TooManyInvitationsError):
        make(makers[1])


def test_of_two_makers_at_once_one_takes_the_last_place(
    ann: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
    run_before_query: RunBeforeQuery,
) -> None:
    monkeypatch.setattr(invites, "MOST", 1)
    first, second = administrator(ann), administrator(bob)
    make = partial(invites.create_server_invitation, uses=1, expires_in=DAY)
    # The lock comes before the count; on PostgreSQL the second maker waits there.
    with (
        run_before_query(lambda: make(maker=first), before='"messaging_installation"'),
        CaptureQueriesContext(connection) as captured,
        pytest.raises(TooManyInvitationsError),
    ):
        make(maker=second)
    if connection.features.has_select_for_update:
        locked = [
            query["sql"]
            for query in captured
            if 'FROM "messaging_installation"' in query["sql"]
        ]
        assert all("FOR UPDATE" in statement for statement in locked)


def test_a_group_has_so_many_invitations_that_can_be_used(
    group: Conversation, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invites, "MOST", 2)
    first, _ = invite(ann, group), invite(ann, group)
    with pytest.raises(TooManyInvitationsError):
        invite(ann, group)
    end(first, "expired")
    invite(ann, group)
    assert InviteCode.objects.count() == 2


def test_the_list_is_of_the_group_newest_first(
    group: Conversation, ann: User, bob: User
) -> None:
    made = [invite(ann, group).invitation.pk for _ in range(3)]
    other = start_group(owner=bob, title="Other", usernames=[]).conversation
    invite(bob, other)
    invites.create_server_invitation(maker=administrator(ann), uses=1, expires_in=DAY)
    group_of_ann = owned_by(ann, group)
    first = invites.group_invitation_page(group=group_of_ann, cursor=None, limit=2)
    rest = invites.group_invitation_page(
        group=group_of_ann, cursor=first.next_cursor, limit=2
    )
    listed = [row.pk for row in (*first.items, *rest.items)]
    assert listed == list(reversed(made))
    assert rest.next_cursor is None


def test_a_code_is_stored_as_its_digest(group: Conversation, ann: User) -> None:
    issued = invite(ann, group)
    assert issued.code not in repr(all_rows())


def test_guesses_are_limited_and_right_codes_are_not_counted(
    group: Conversation, ann: User, dora: User, settings: Settings
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_BAD_TOKENS = Rate(2, 900)
    code = invite(ann, group).code

    def look(code: str, of: User | None, address: str = "192.0.2.1") -> None:
        subject = None if of is None else UserId(of.pk)
        with counted_guess(of=subject, address=address):
            invite_codes.invitation_shown(code=code, reader=of)

    for _ in range(3):
        look(code, None)
    for _ in range(2):
        with pytest.raises(InvalidInviteError):
            look("guessed", None)
    # Not even a right one, or whoever guesses would be told.
    for each in (code, "guessed"):
        with pytest.raises(RateLimitedError):
            look(each, None)
    look(code, None, "192.0.2.2")
    look(code, dora)


def test_a_deleted_account_leaves_no_invitation_and_no_removal(
    group: Conversation, ann: User, bob: User, dora: User
) -> None:
    invite(ann, group)
    participants.remove_participant(membership=owned_by(ann, group), username="bob")
    owners.add_owner(group=owned_by(ann, group), username="cleo")
    assert preview_deletion(user=ann).invitations == 1
    assert delete_account(user=bob, password=PASSWORD).invitations == 0
    assert not Removal.objects.exists()
    assert delete_account(user=ann, password=PASSWORD).invitations == 1
    assert not InviteCode.objects.exists()


def test_a_group_takes_its_invitations_and_removals_along(
    make_user: MakeUser,
) -> None:
    one, two = make_user("one"), make_user("two")
    group = start_group(owner=one, title="Short", usernames=["two"]).conversation
    invite(one, group)
    participants.remove_participant(membership=owned_by(one, group), username="two")
    participants.remove_participant(
        membership=membership_of(one, group), username="one"
    )
    assert not InviteCode.objects.exists()
    assert not Removal.objects.exists()
    assert User.objects.filter(pk=two.pk).exists()


def test_an_export_has_the_invitations_one_made(
    group: Conversation, ann: User, bob: User
) -> None:
    issued = invite(ann, group)
    exported = {
        user: [
            record.pk
            for record in export_account(user_id=UserId(user.pk))
            if isinstance(record, InviteCode)
        ]
        for user in (ann, bob)
    }
    assert exported == {ann: [issued.invitation.pk], bob: []}


def test_broken_invitations_and_removals_are_found_and_repaired(
    group: Conversation, ann: User, bob: User
) -> None:
    invite(ann, group)
    assert not list(find_inconsistencies())
    InviteCode.objects.update(created_by=bob)
    Removal.objects.create(conversation=group, user=bob)
    assert {found.promise for found in find_inconsistencies()} == {
        "an invitation to a group is of one of its owners",
        "nobody takes part who is noted as removed",
    }
    assert len(list(repair_inconsistencies())) == 2
    assert not list(find_inconsistencies())


def test_expired_invitations_are_cleared_after_a_month(
    group: Conversation, ann: User
) -> None:
    old, new = invite(ann, group), invite(ann, group)
    for issued, days in ((old, 31), (new, 29)):
        InviteCode.objects.filter(pk=issued.invitation.pk).update(
            expires_at=timezone.now() - timedelta(days=days)
        )
    assert invites.clear_expired_invitations() == 1
    assert InviteCode.objects.get().pk == new.invitation.pk


def test_another_groups_owner_revokes_nothing(
    group: Conversation, ann: User, bob: User
) -> None:
    issued = invite(ann, group)
    other = start_group(owner=bob, title="Other", usernames=[]).conversation
    proof = access.ownership(
        owner=UserId(bob.pk), conversation_id=ConversationId(other.pk)
    )
    with pytest.raises(InvitationNotFoundError):
        invites.revoke_group_invitation(
            group=proof, invitation_id=InvitationId(issued.invitation.pk)
        )
    assert InviteCode.objects.exists()
