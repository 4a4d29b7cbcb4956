"""The write protocol: version and log advance with what a page shows, or not at all."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from importlib import import_module
from inspect import signature
from operator import methodcaller
from typing import Final, TypeVar

import pytest
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging import access
from messaging.access import (
    AccountAction,
    AdministeredAccount,
    Inviter,
    Membership,
    Ownership,
    OwnMessage,
    ReceivedMessage,
    Superuser,
    inviter,
)
from messaging.changes import (
    Change,
    changing,
    changing_account,
    changing_all,
    open_change,
)
from messaging.errors import (
    AlreadySetUpError,
    BypassError,
    ConversationNotFoundError,
    DeletedMessageError,
    DirectConversationError,
    DomainError,
    InvalidContentError,
    InvalidCursorError,
    InvalidError,
    InvalidInviteError,
    InvalidTitleError,
    InvitationNotFoundError,
    MessageNotFoundError,
    NotDeliverableError,
    NotificationNotFoundError,
    NotOwnerError,
    OwnerRequiredError,
    ParticipantNotFoundError,
    RightsRequiredError,
    SelfBlockError,
    SelfMessageError,
    SessionNotFoundError,
    SignInError,
    StaleVersionError,
    TokenNotFoundError,
    UnknownMemberError,
    UnknownParentError,
    UsernameTakenError,
    VersionNotFoundError,
    WrongPasswordError,
)
from messaging.ids import (
    ConversationId,
    InvitationId,
    LookId,
    MessageId,
    NotificationId,
    Sequence,
    TokenId,
    UserId,
)
from messaging.models import (
    AccessToken,
    Conversation,
    Event,
    Installation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    ServiceToken,
    Session,
    User,
)
from messaging.models.events import EventType
from messaging.models.looks import LookSource
from messaging.models.sessions import digest_of
from messaging.models.users import SendKey, WhoMayAdd
from messaging.projections import MessageProjection
from messaging.sequence_ranges import SequenceRange
from messaging.services import (
    access_revocations,
    administration,
    blocks,
    consistency,
    conversations,
    events,
    history,
    inbox,
    installation,
    invites,
    joining,
    looks,
    messages,
    notifications,
    owners,
    participants,
    passwords,
    presence,
    read_marks,
    service_tokens,
    sessions,
    setup,
    tokens,
    typing_indicators,
    users,
)
from messaging.services.deletion import delete_account, delete_account_of
from messaging.services.installation import read_clock
from messaging.services.invites import IssuedInvitation
from messaging.services.read_marks import ReadRequest
from messaging.services.summaries import SharedSummary
from messaging.services.unread_lookups import unread_among
from tests.conftest import PASSWORD, MakeUser
from tests.messaging.logged import logged_since
from tests.messaging.writing_services import services_that_write
from tests.proofs import membership_of, own_of, owned_by, received_by
from tests.rows import overwrite

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Data:
    """Ann and Bob have a direct conversation; both and Cleo are in Ann's group, Dora in none."""

    ann: User
    bob: User
    cleo: User
    dora: User
    # From Ann to Bob, unread, and Bob's reply to it.
    hello: Message
    reply: Message
    # Ann's, in the group, edited once; unread by both, and the last by Bob alone.
    note: Message
    last: Message
    group: Conversation
    token: AccessToken

    @property
    def direct(self) -> Conversation:
        return self.hello.conversation


@pytest.fixture
def data(ann: User, bob: User, cleo: User, make_user: MakeUser) -> Data:
    hello = Message.objects.create(sender=ann, receiver=bob, content="hello")
    reply = Message.objects.create(sender=bob, parent_message=hello, content="well")
    group = conversations.start_group(
        owner=ann, title="Team", usernames=["bob", "cleo"]
    ).conversation
    note = Message.objects.create(sender=ann, conversation=group, content="first")
    messages.edit_message(message=own_of(ann, note), content="second")
    last = Message.objects.create(sender=ann, conversation=group, content="last")
    notifications.mark_message_read(
        message=received_by(cleo, last), reader=UserId(cleo.pk)
    )
    Session.objects.create(
        session_key=digest_of("key"),
        user=ann,
        expire_date=timezone.now() + timedelta(days=1),
    )
    token = tokens.issue_token(user=ann, name="", expires_in=None).token
    return Data(
        ann=ann,
        bob=bob,
        cleo=cleo,
        dora=make_user("dora"),
        hello=hello,
        reply=reply,
        note=note,
        last=last,
        group=group,
        token=token,
    )


class Outcome(Enum):
    # Pages show something else, and events say what.
    SHOWN = auto()
    # Pages show something else, and events say no more than that they be read again.
    RESET = auto()
    # Events say something that no page shows.
    LOGGED = auto()
    # Neither.
    SILENT = auto()


SHOWN, RESET, LOGGED, SILENT = Outcome

# A refusal is silent, and writes nothing.
Expected = Outcome | type[DomainError]
# What comes before is not looked at: the proofs of access, say.
Prepare = Callable[[Data], Callable[[], object]]


def _id(user: User) -> UserId:
    return UserId(user.pk)


def _root() -> Superuser:
    return access.superuser(user=User.objects.create_superuser("root", PASSWORD))


def _former_root() -> Superuser:
    root = _root()
    User.objects.filter(pk=root.pk).update(is_superuser=False)
    return root


def _administered(
    user: User, *, action: AccountAction = "change"
) -> AdministeredAccount:
    return access.administered_account(
        staff=_root(), username=user.username, action=action
    )


def _administered_by_former_staff(user: User) -> AdministeredAccount:
    account = _administered(user, action="delete")
    User.objects.filter(pk=account.by).update(is_superuser=False, is_staff=False)
    return account


def _emptied() -> str:
    User.objects.all().delete()
    return setup.setup_code()


def _set_up(code: str) -> User:
    return setup.set_up(
        code=code,
        server_name="Elm Street",
        username="ada",
        password=PASSWORD,
        display_name=None,
    )


def _notification_of_hello(data: Data) -> NotificationId:
    return NotificationId(data.hello.pk)


def _removed_participant(user: User, group: Conversation) -> Membership:
    """A membership that was removed since."""
    membership = membership_of(user, group)
    participants.remove_participant(membership=membership, username=user.username)
    return membership


def _one_of_two_owners(data: Data) -> Ownership:
    group = owned_by(data.ann, data.group)
    owners.add_owner(group=group, username="bob")
    return group


def _former_owner(data: Data) -> Ownership:
    group = owned_by(data.ann, data.group)
    participants.put_participant(group=group, username="bob", role="owner")
    return group


def _administrator(user: User) -> Inviter:
    user.is_superuser = True
    user.save()
    maker = inviter(user)
    assert maker is not None
    return maker


def _invited(data: Data) -> IssuedInvitation:
    return invites.create_group_invitation(
        group=owned_by(data.ann, data.group), uses=1, expires_in=timedelta(days=1)
    )


def _invited_to_server(data: Data) -> IssuedInvitation:
    return invites.create_server_invitation(
        maker=_administrator(data.ann), uses=1, expires_in=timedelta(days=1)
    )


def _deleted(message: Message, sender: User) -> OwnMessage:
    own = own_of(sender, message)
    messages.delete_message(message=own)
    return own


def _read(message: Message, reader: User) -> ReceivedMessage:
    received = received_by(reader, message)
    notifications.mark_message_read(message=received, reader=_id(reader))
    return received


def _having_read(message: Message, reader: User) -> Membership:
    _read(message, reader)
    return membership_of(reader, message.conversation)


def _blocking(blocker: User, blocked: User) -> UserId:
    blocks.block(blocker=blocker, blocked=blocked)
    return _id(blocker)


def _renamed(user: User) -> Callable[[], object]:
    user.username = f"new-{user.username}"
    return user.save


def _edited(message: Message, content: str) -> Callable[[], object]:
    message.content = content
    return message.save


def _suspended(user: User) -> Callable[[], object]:
    user.is_active = False
    return user.save


def _aged(message: Message) -> Callable[[], object]:
    long_ago = timezone.now() - timedelta(days=1000)
    overwrite(Event.objects.filter(message_id=message.pk), created_at=long_ago)
    return events.clear_expired_events


def _corrupted(data: Data) -> Callable[[], object]:
    overwrite(Message.objects.filter(pk=data.hello.pk), reply_count=7)
    return lambda: list(consistency.repair_inconsistencies())


SERVICES: Final[Mapping[str, list[tuple[Prepare, Expected]]]] = {
    "access_revocations.record_access_ended": [
        (
            lambda s: partial(
                access_revocations.record_access_ended, user_id=_id(s.ann)
            ),
            LOGGED,
        )
    ],
    "access_revocations.record_changed_access": [
        (lambda s: _suspended(s.ann), LOGGED),
        (lambda s: s.ann.save, SILENT),
    ],
    "blocks.block": [
        (lambda s: partial(blocks.block, blocker=s.ann, blocked=s.bob), SILENT),
        (lambda s: partial(blocks.block, blocker=s.ann, blocked=s.ann), SelfBlockError),
    ],
    "consistency.repair_inconsistencies": [
        (_corrupted, RESET),
        (lambda _: lambda: list(consistency.repair_inconsistencies()), SILENT),
    ],
    "conversations.open_direct": [
        (
            lambda s: partial(
                conversations.open_direct, one=_id(s.ann), other=_id(s.dora)
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                conversations.open_direct, one=_id(s.ann), other=_id(s.bob)
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                conversations.open_direct, one=_id(s.ann), other=_id(s.ann)
            ),
            SelfMessageError,
        ),
        (
            lambda s: partial(
                conversations.open_direct,
                one=_id(s.ann),
                other=_blocking(s.dora, s.ann),
            ),
            NotDeliverableError,
        ),
    ],
    "conversations.rename_group": [
        (
            lambda s: partial(
                conversations.rename_group,
                group=owned_by(s.ann, s.group),
                title="Other",
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                conversations.rename_group, group=owned_by(s.ann, s.group), title="Team"
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                conversations.rename_group, group=owned_by(s.ann, s.group), title=" "
            ),
            InvalidTitleError,
        ),
        (
            lambda s: partial(
                conversations.rename_group, group=_former_owner(s), title="Other"
            ),
            NotOwnerError,
        ),
    ],
    "conversations.start_group": [
        (
            lambda s: partial(
                conversations.start_group, owner=s.ann, title="New", usernames=["dora"]
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                conversations.start_group,
                owner=s.ann,
                title="New",
                usernames=["nobody"],
            ),
            UnknownMemberError,
        ),
    ],
    # By its receivers, `begin_deletion` and `finish_deletion`.
    "deletion.begin_deletion": [(lambda s: s.bob.delete, SHOWN)],
    "deletion.finish_deletion": [(lambda s: s.dora.delete, LOGGED)],
    "deletion.prepare_deletions": [
        (
            lambda s: User.objects.filter(pk__in=[s.dora.pk, s.cleo.pk]).delete,
            SHOWN,
        )
    ],
    "deletion.delete_account": [
        (lambda s: partial(delete_account, user=s.ann, password=PASSWORD), SHOWN),
        (
            lambda s: partial(delete_account, user=s.ann, password="wrong"),
            WrongPasswordError,
        ),
    ],
    "deletion.delete_account_of": [
        (
            lambda s: partial(
                delete_account_of, account=_administered(s.ann, action="delete")
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                delete_account_of, account=_administered_by_former_staff(s.ann)
            ),
            RightsRequiredError,
        ),
    ],
    "administration.set_active": [
        (
            lambda s: partial(
                administration.set_active,
                account=_administered(s.ann),
                is_active=False,
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                administration.set_active, account=_administered(s.ann), is_active=True
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                administration.set_active,
                account=_administered_by_former_staff(s.ann),
                is_active=False,
            ),
            RightsRequiredError,
        ),
    ],
    "administration.set_password_of": [
        (
            lambda s: partial(
                administration.set_password_of, account=_administered(s.ann), new=None
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                administration.set_password_of,
                account=_administered_by_former_staff(s.ann),
                new=None,
            ),
            RightsRequiredError,
        ),
    ],
    "events.clear_expired_events": [
        (lambda s: _aged(s.hello), SILENT),
        (lambda _: events.clear_expired_events, SILENT),
    ],
    "history.restore_version": [
        (
            lambda s: partial(
                history.restore_version, message=own_of(s.ann, s.note), version=1
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                history.restore_version, message=own_of(s.ann, s.note), version=2
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                history.restore_version, message=own_of(s.ann, s.note), version=3
            ),
            VersionNotFoundError,
        ),
    ],
    "inbox.mark_inbox_read": [
        (
            lambda s: partial(
                inbox.mark_inbox_read,
                reader=_id(s.bob),
                up_to=inbox.inbox_summary(reader=_id(s.bob)).up_to,
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                inbox.mark_inbox_read,
                reader=_id(s.dora),
                up_to=inbox.inbox_summary(reader=_id(s.dora)).up_to,
            ),
            SILENT,
        ),
        (
            lambda s: partial(inbox.mark_inbox_read, reader=_id(s.bob), up_to="x"),
            InvalidCursorError,
        ),
    ],
    "installation.adopt_secret_key": [
        (lambda _: installation.adopt_secret_key, SILENT)
    ],
    "installation.renew_epoch": [(lambda _: installation.renew_epoch, SILENT)],
    "installation.rename_server": [
        (
            lambda _: partial(
                installation.rename_server, by=_root(), server_name="Elm Street"
            ),
            SILENT,
        ),
        (
            lambda _: partial(
                installation.rename_server, by=_former_root(), server_name="Elm Street"
            ),
            RightsRequiredError,
        ),
    ],
    "setup.set_up": [
        (lambda _: partial(_set_up, _emptied()), SILENT),
        (lambda _: partial(_set_up, "wrong"), AlreadySetUpError),
    ],
    "messages.send_message": [
        (
            lambda s: partial(
                messages.send_message,
                membership=membership_of(s.bob, s.group),
                content="hi",
                parent_id=MessageId(s.note.pk),
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                messages.send_message,
                membership=membership_of(s.bob, s.group),
                content=" ",
                parent_id=None,
            ),
            InvalidContentError,
        ),
        (
            lambda s: partial(
                messages.send_message,
                membership=membership_of(s.bob, s.group),
                content="hi",
                parent_id=MessageId(s.hello.pk),
            ),
            UnknownParentError,
        ),
        (
            lambda s: partial(
                messages.send_message,
                membership=_removed_participant(s.bob, s.group),
                content="hi",
                parent_id=None,
            ),
            ConversationNotFoundError,
        ),
    ],
    "messages.send_direct_message": [
        (
            lambda s: partial(
                messages.send_direct_message,
                sender=s.ann,
                receiver=s.dora,
                content="hi",
                parent_id=None,
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                messages.send_direct_message,
                sender=s.ann,
                receiver=s.bob,
                content="hi",
                parent_id=None,
            ),
            SHOWN,
        ),
        # Nor is a conversation left that was begun for it.
        (
            lambda s: partial(
                messages.send_direct_message,
                sender=s.ann,
                receiver=s.dora,
                content="hi",
                parent_id=MessageId(s.hello.pk),
            ),
            UnknownParentError,
        ),
    ],
    # The plain ORM way, by its receivers.
    "messages.place_message": [
        (
            lambda s: partial(
                Message.objects.create, sender=s.ann, receiver=s.bob, content="hi"
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                Message.objects.create, sender=s.dora, conversation=s.group, content="x"
            ),
            ConversationNotFoundError,
        ),
    ],
    "notifications.notify_receivers": [
        (
            lambda s: partial(
                Message.objects.create,
                sender=s.cleo,
                conversation=s.group,
                content="@bob",
            ),
            SHOWN,
        )
    ],
    "messages.record_edit": [
        (lambda s: _edited(s.hello, "other"), SHOWN),
        (lambda s: _edited(s.hello, "hello "), SILENT),
        (lambda s: _edited(s.hello, ""), InvalidContentError),
    ],
    "messages.edit_message": [
        (
            lambda s: partial(
                messages.edit_message, message=own_of(s.ann, s.hello), content="other"
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                messages.edit_message, message=own_of(s.ann, s.hello), content="hello"
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                messages.edit_message,
                message=own_of(s.ann, s.note),
                content="other",
                versions=frozenset({1}),
            ),
            StaleVersionError,
        ),
        (
            lambda s: partial(
                messages.edit_message, message=_deleted(s.hello, s.ann), content="other"
            ),
            DeletedMessageError,
        ),
    ],
    "messages.delete_message": [
        # A tombstone, and no trace.
        (
            lambda s: partial(messages.delete_message, message=own_of(s.ann, s.hello)),
            SHOWN,
        ),
        (
            lambda s: partial(messages.delete_message, message=own_of(s.bob, s.reply)),
            SHOWN,
        ),
        (
            lambda s: partial(messages.delete_message, message=_deleted(s.last, s.ann)),
            MessageNotFoundError,
        ),
    ],
    "names.normalise_names": [
        (lambda s: _renamed(s.ann), SHOWN),
        (lambda s: _renamed(s.dora), LOGGED),
    ],
    "notifications.mark_message_read": [
        (
            lambda s: partial(
                notifications.mark_message_read,
                message=received_by(s.bob, s.hello),
                reader=_id(s.bob),
            ),
            SHOWN,
        ),
        # Bob has not read it yet.
        (
            lambda s: partial(
                notifications.mark_message_read,
                message=received_by(s.cleo, s.note),
                reader=_id(s.cleo),
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                notifications.mark_message_read,
                message=received_by(s.cleo, s.last),
                reader=_id(s.cleo),
            ),
            SILENT,
        ),
    ],
    "notifications.mark_message_unread": [
        (
            lambda s: partial(
                notifications.mark_message_unread,
                message=_read(s.hello, s.bob),
                reader=_id(s.bob),
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                notifications.mark_message_unread,
                message=received_by(s.cleo, s.last),
                reader=_id(s.cleo),
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                notifications.mark_message_unread,
                message=received_by(s.bob, s.hello),
                reader=_id(s.bob),
            ),
            SILENT,
        ),
    ],
    "notifications.mark_notification_read": [
        (
            lambda s: partial(
                notifications.mark_notification_read,
                reader=_id(s.bob),
                notification_id=_notification_of_hello(s),
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                notifications.mark_notification_read,
                reader=_id(s.cleo),
                notification_id=_notification_of_hello(s),
            ),
            NotificationNotFoundError,
        ),
    ],
    "notifications.mark_ranges_read": [
        (
            lambda s: partial(
                notifications.mark_ranges_read,
                membership=membership_of(s.bob, s.group),
                ranges=[SequenceRange(Sequence(2), Sequence(2))],
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                notifications.mark_ranges_read,
                membership=membership_of(s.bob, s.group),
                ranges=[SequenceRange(Sequence(9), Sequence(9))],
            ),
            SILENT,
        ),
    ],
    "notifications.mark_ranges_unread": [
        (
            lambda s: partial(
                notifications.mark_ranges_unread,
                membership=_having_read(s.hello, s.bob),
                ranges=[SequenceRange(Sequence(1), Sequence(1))],
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                notifications.mark_ranges_unread,
                membership=membership_of(s.cleo, s.group),
                ranges=[SequenceRange(Sequence(2), Sequence(2))],
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                notifications.mark_ranges_unread,
                membership=membership_of(s.bob, s.group),
                ranges=[SequenceRange(Sequence(2), Sequence(2))],
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                notifications.mark_ranges_unread,
                membership=membership_of(s.bob, s.group),
                ranges=[SequenceRange(Sequence(1), Sequence(101))],
            ),
            InvalidError,
        ),
        (
            lambda s: partial(
                notifications.mark_ranges_unread,
                membership=_removed_participant(s.bob, s.group),
                ranges=[SequenceRange(Sequence(2), Sequence(2))],
            ),
            ConversationNotFoundError,
        ),
    ],
    "read_marks.mark_read": [
        (
            lambda s: partial(
                read_marks.mark_read,
                ReadRequest(
                    unread_among(
                        Notification.objects.filter(message=s.note),
                        reader=_id(s.cleo),
                    ),
                    _id(s.cleo),
                ),
            ),
            LOGGED,
        )
    ],
    "invites.create_server_invitation": [
        (
            lambda s: partial(
                invites.create_server_invitation,
                maker=_administrator(s.ann),
                uses=1,
                expires_in=timedelta(days=1),
            ),
            SILENT,
        )
    ],
    "invites.create_group_invitation": [
        (
            lambda s: partial(
                invites.create_group_invitation,
                group=owned_by(s.ann, s.group),
                uses=1,
                expires_in=timedelta(days=1),
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                invites.create_group_invitation,
                group=_former_owner(s),
                uses=1,
                expires_in=timedelta(days=1),
            ),
            NotOwnerError,
        ),
    ],
    "invites.revoke_server_invitation": [
        (
            lambda s: partial(
                invites.revoke_server_invitation,
                by=_administrator(s.ann),
                invitation_id=InvitationId(_invited_to_server(s).invitation.pk),
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                invites.revoke_server_invitation,
                by=_administrator(s.ann),
                invitation_id=InvitationId(_invited(s).invitation.pk),
            ),
            InvitationNotFoundError,
        ),
    ],
    "invites.revoke_group_invitation": [
        (
            lambda s: partial(
                invites.revoke_group_invitation,
                invitation_id=InvitationId(_invited(s).invitation.pk),
                group=owned_by(s.ann, s.group),
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                invites.revoke_group_invitation,
                invitation_id=InvitationId(_invited_to_server(s).invitation.pk),
                group=owned_by(s.ann, s.group),
            ),
            InvitationNotFoundError,
        ),
        (
            lambda s: partial(
                invites.revoke_group_invitation,
                invitation_id=InvitationId(_invited(s).invitation.pk),
                group=_former_owner(s),
            ),
            NotOwnerError,
        ),
    ],
    "joining.join_group": [
        (
            lambda s: partial(joining.join_group, code=_invited(s).code, user=s.dora),
            SHOWN,
        ),
        (
            lambda s: partial(joining.join_group, code=_invited(s).code, user=s.bob),
            SILENT,
        ),
        (
            lambda s: partial(joining.join_group, code="unknown", user=s.dora),
            InvalidInviteError,
        ),
    ],
    "owners.add_owner": [
        (
            lambda s: partial(
                owners.add_owner, group=owned_by(s.ann, s.group), username="bob"
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                owners.add_owner, group=owned_by(s.ann, s.group), username="ann"
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                owners.add_owner, group=_former_owner(s), username="cleo"
            ),
            NotOwnerError,
        ),
    ],
    "owners.hand_over": [
        (
            lambda s: partial(
                owners.hand_over, group=owned_by(s.ann, s.group), username="bob"
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                owners.hand_over, group=_former_owner(s), username="cleo"
            ),
            NotOwnerError,
        ),
    ],
    "owners.remove_owner": [
        (
            lambda s: partial(
                owners.remove_owner, group=_one_of_two_owners(s), username="bob"
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                owners.remove_owner, group=_one_of_two_owners(s), username="cleo"
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                owners.remove_owner, group=owned_by(s.ann, s.group), username="ann"
            ),
            OwnerRequiredError,
        ),
        (
            lambda s: partial(
                owners.remove_owner, group=_former_owner(s), username="bob"
            ),
            NotOwnerError,
        ),
    ],
    "participants.put_participant": [
        (
            lambda s: partial(
                participants.put_participant,
                group=owned_by(s.ann, s.group),
                username="dora",
                role="member",
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                participants.put_participant,
                group=owned_by(s.ann, s.group),
                username="bob",
                role="member",
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                participants.put_participant,
                group=owned_by(s.ann, s.group),
                username="bob",
                role="owner",
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                participants.put_participant,
                group=owned_by(s.ann, s.group),
                username="ann",
                role="owner",
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                participants.put_participant,
                group=_former_owner(s),
                username="dora",
                role="member",
            ),
            NotOwnerError,
        ),
    ],
    "participants.remove_participant": [
        (
            lambda s: partial(
                participants.remove_participant,
                membership=_removed_participant(s.bob, s.group),
                username="bob",
            ),
            ConversationNotFoundError,
        ),
        # Who leaves was the last who had not read a message: one change all the same.
        (
            lambda s: partial(
                participants.remove_participant,
                membership=membership_of(s.bob, s.group),
                username="bob",
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                participants.remove_participant,
                membership=membership_of(s.ann, s.group),
                username="ann",
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                participants.remove_participant,
                membership=membership_of(s.ann, s.direct),
                username="ann",
            ),
            DirectConversationError,
        ),
        (
            lambda s: partial(
                participants.remove_participant,
                membership=membership_of(s.ann, s.group),
                username="dora",
            ),
            ParticipantNotFoundError,
        ),
    ],
    "participants.set_hidden": [
        (
            lambda s: partial(
                participants.set_hidden,
                membership=_removed_participant(s.bob, s.group),
                hidden=True,
            ),
            ConversationNotFoundError,
        ),
        (
            lambda s: partial(
                participants.set_hidden,
                membership=membership_of(s.ann, s.group),
                hidden=True,
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                participants.set_hidden,
                membership=membership_of(s.ann, s.group),
                hidden=False,
            ),
            SILENT,
        ),
    ],
    "participants.set_muted": [
        (
            lambda s: partial(
                participants.set_muted,
                membership=membership_of(s.ann, s.group),
                muted=True,
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                participants.set_muted,
                membership=membership_of(s.ann, s.group),
                muted=False,
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                participants.set_muted,
                membership=_removed_participant(s.bob, s.group),
                muted=True,
            ),
            ConversationNotFoundError,
        ),
    ],
    "passwords.change_password": [
        (
            lambda s: partial(
                passwords.change_password,
                user=s.ann,
                current=PASSWORD,
                new=f"{PASSWORD} 2",
                keep_token=None,
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                passwords.change_password,
                user=s.ann,
                current="wrong",
                new=f"{PASSWORD} 2",
                keep_token=None,
            ),
            WrongPasswordError,
        ),
    ],
    "passwords.set_password": [
        (
            lambda s: partial(passwords.set_password, user=s.dora, new=f"{PASSWORD} 2"),
            LOGGED,
        )
    ],
    "passwords.sign_out": [
        (lambda s: partial(passwords.sign_out, user=s.ann), LOGGED),
        (lambda s: partial(passwords.sign_out, user=s.dora), SILENT),
    ],
    "presence.declare_present": [
        (
            lambda s: partial(
                presence.declare_present, process="x", users=[_id(s.ann)]
            ),
            SILENT,
        )
    ],
    "presence.withdraw_presence": [
        (lambda _: partial(presence.withdraw_presence, process="x"), SILENT)
    ],
    "service_tokens.mint_token": [
        (
            lambda _: partial(
                service_tokens.mint_token,
                service=ServiceToken(name="service"),
                username=users.create_account(
                    username="eve", password=None, display_name=None
                ).username,
                expires_in=timedelta(hours=1),
            ),
            SILENT,
        )
    ],
    "sessions.end_other_sessions": [
        (
            lambda s: partial(
                sessions.end_other_sessions, user_id=_id(s.ann), current=None
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                sessions.end_other_sessions, user_id=_id(s.ann), current="key"
            ),
            SILENT,
        ),
    ],
    "sessions.end_session": [
        (
            lambda s: partial(
                sessions.end_session, user_id=_id(s.ann), reference=digest_of("key")
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                sessions.end_session, user_id=_id(s.bob), reference=digest_of("key")
            ),
            SessionNotFoundError,
        ),
    ],
    "sessions.end_session_of_key": [
        (lambda _: partial(sessions.end_session_of_key, key="key"), LOGGED),
        (lambda _: partial(sessions.end_session_of_key, key="other"), SILENT),
    ],
    "sessions.end_oldest_sessions": [
        (lambda s: partial(sessions.end_oldest_sessions, user_id=_id(s.ann)), SILENT)
    ],
    "tokens.issue_after_password": [
        (
            lambda s: partial(
                tokens.issue_after_password,
                user=s.ann,
                name="",
                expires_in=None,
                replaces=TokenId(s.token.pk),
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                tokens.issue_after_password, user=s.ann, name="", expires_in=None
            ),
            SILENT,
        ),
    ],
    "tokens.issue_replacing_oldest": [
        (
            lambda s: partial(
                tokens.issue_replacing_oldest,
                user=s.ann,
                name="",
                expires_in=timedelta(hours=1),
            ),
            SILENT,
        )
    ],
    "tokens.issue_token": [
        (
            lambda s: partial(tokens.issue_token, user=s.ann, name="", expires_in=None),
            SILENT,
        )
    ],
    "tokens.revoke_token": [
        (
            lambda s: partial(
                tokens.revoke_token, owner=_id(s.ann), token_id=TokenId(s.token.pk)
            ),
            LOGGED,
        ),
        (
            lambda s: partial(
                tokens.revoke_token, owner=_id(s.bob), token_id=TokenId(s.token.pk)
            ),
            TokenNotFoundError,
        ),
    ],
    "tokens.sign_in": [
        (
            lambda s: partial(
                tokens.sign_in,
                username="ann",
                password=PASSWORD,
                name="",
                expires_in=None,
                replaces=TokenId(s.token.pk),
            ),
            LOGGED,
        ),
        (
            lambda _: partial(
                tokens.sign_in,
                username="ann",
                password="wrong",
                name="",
                expires_in=None,
            ),
            SignInError,
        ),
    ],
    "typing_indicators.note_typing": [
        (
            lambda s: partial(
                typing_indicators.note_typing, membership=membership_of(s.ann, s.group)
            ),
            SILENT,
        ),
        (
            lambda s: partial(
                typing_indicators.note_typing,
                membership=_removed_participant(s.bob, s.group),
            ),
            ConversationNotFoundError,
        ),
    ],
    "users.change_display_name": [
        (
            lambda s: partial(
                users.change_display_name, user=s.bob, display_name="Robert"
            ),
            SHOWN,
        ),
        (
            lambda s: partial(
                users.change_display_name, user=s.bob, display_name="Bob"
            ),
            SILENT,
        ),
    ],
    "users.create_account": [
        (
            lambda _: partial(
                users.create_account, username="eve", password=None, display_name=None
            ),
            SILENT,
        ),
        (
            lambda _: partial(
                users.create_account, username="ANN", password=None, display_name=None
            ),
            UsernameTakenError,
        ),
    ],
    "users.register": [
        (
            lambda _: partial(
                users.register, username="eve", password=PASSWORD, display_name=None
            ),
            SILENT,
        )
    ],
    "presence.set_shows_presence": [
        (
            lambda s: partial(
                presence.set_shows_presence, user=s.ann, shows_presence=False
            ),
            SILENT,
        )
    ],
    "users.set_send_key": [
        (
            lambda s: partial(
                users.set_send_key, user=s.ann, send_key=SendKey.SHIFT_ENTER
            ),
            SILENT,
        )
    ],
    "looks.clear_expired_looks": [(lambda _: looks.clear_expired_looks, SILENT)],
    "looks.mark_looks_seen": [
        (
            lambda s: partial(
                looks.mark_looks_seen, reader=_id(s.ann), up_to=LookId(1)
            ),
            SILENT,
        )
    ],
    "looks.record_looks": [
        (
            lambda s: partial(
                looks.record_looks,
                by=_id(s.dora),
                source=LookSource.MESSAGES,
                shown=[
                    looks.Shown(ConversationId(s.group.pk), None, frozenset({s.ann.pk}))
                ],
            ),
            SILENT,
        )
    ],
    "looks.record_password": [
        (
            lambda s: partial(
                looks.record_password, by=_id(s.dora), user_id=_id(s.ann)
            ),
            SILENT,
        )
    ],
    "users.set_who_may_add": [
        (
            lambda s: partial(
                users.set_who_may_add, user=s.ann, who_may_add=WhoMayAdd.NOBODY
            ),
            SILENT,
        )
    ],
}


@dataclass(frozen=True, slots=True)
class Page:
    """What a conversation's page shows, and the version that stands for it."""

    version: int
    content: object


# Of the conversation itself.
_COLUMNS: Final = [
    *("last_activity_at", "last_sequence"),
    *(
        column
        for column in SharedSummary.columns()
        if column != "version" and hasattr(Conversation, column)
    ),
]


def _pages() -> dict[int, Page]:
    return {
        conversation.pk: Page(
            conversation.version,
            (
                [getattr(conversation, column) for column in _COLUMNS],
                [
                    *conversation.messages.order_by("pk").values(
                        *MessageProjection.columns()
                    )
                ],
                [
                    *conversation.participants.order_by("pk").values_list(
                        "user__username", "user__display_name"
                    )
                ],
            ),
        )
        for conversation in Conversation.objects.all()
    }


def _rows() -> list[object]:
    models = (Conversation, Participant, Message, MessageHistory, Notification, User)
    return [[*model._default_manager.order_by("pk").values()] for model in models]


# Of a database that nobody else has open, which then takes the place of another.
_ELSEWHERE: Final = {"restoring.restore_sqlite"}


def test_every_service_that_writes_is_in_the_table() -> None:
    assert SERVICES.keys() == services_that_write() - _ELSEWHERE


# A removed participant has no notifications there.
_NOTHING_LEFT: Final = {
    "notifications.mark_ranges_read",
}


@pytest.mark.parametrize(
    ("proof", "refusal"),
    [(Ownership, NotOwnerError), (Membership, ConversationNotFoundError)],
)
def test_an_outdated_proof_is_refused(
    proof: object, refusal: type[DomainError]
) -> None:
    """By each service that takes it: a change could be opened with a weaker one."""
    taking = {name for name in SERVICES if proof in _annotations(name)}
    assert len(taking) > 1
    refusing = {
        name for name in taking if refusal in {kind for _, kind in SERVICES[name]}
    }
    assert taking - refusing <= _NOTHING_LEFT


def _annotations(service: str) -> Collection[object]:
    module, _, name = service.partition(".")
    function = getattr(import_module(f"messaging.services.{module}"), name)
    return [each.annotation for each in signature(function).parameters.values()]


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        pytest.param(prepare, expected, id=f"{service}-{number}")
        for service, cases in SERVICES.items()
        for number, (prepare, expected) in enumerate(cases)
    ],
)
def test_version_and_log_advance_if_and_only_if_something_changed(
    data: Data, prepare: Prepare, expected: Expected
) -> None:
    act = prepare(data)
    pages, rows, clock = _pages(), _rows(), read_clock()
    if isinstance(expected, Outcome):
        act()
    else:
        with pytest.raises(expected):
            act()
        assert _rows() == rows
    after = _pages()
    events = [*logged_since(clock).values_list("type", flat=True)]
    shown = {pk for pk in pages.keys() | after.keys() if not _alike(pk, pages, after)}
    assert {pk: after[pk].version for pk in pages.keys() & after.keys()} == {
        pk: pages[pk].version + (pk in shown) for pk in pages.keys() & after.keys()
    }
    # Each has a position, and none is left out.
    assert read_clock() - clock == len(events)
    assert bool(shown) == (expected in {SHOWN, RESET})
    assert bool(events) == (expected in {SHOWN, RESET, LOGGED})
    # The event for a page that was renewed without one.
    assert ({*events} == {EventType.CONVERSATION_RESET}) == (expected is RESET)


def _alike(pk: int, before: Mapping[int, Page], after: Mapping[int, Page]) -> bool:
    return pk in before and pk in after and before[pk].content == after[pk].content


def _updated(conversation: Conversation) -> Event:
    return Event(type=EventType.CONVERSATION_UPDATED, conversation_id=conversation.pk)


def _conversation_id(conversation: Conversation) -> ConversationId:
    return ConversationId(conversation.pk)


def _state() -> tuple[object, ...]:
    return _pages(), _rows(), read_clock()


def test_a_change_opened_within_a_change_joins_it(data: Data) -> None:
    before, clock = _pages()[data.group.pk].version, read_clock()
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        for content in ("one", "two"):
            messages.send_message(
                membership=membership_of(data.ann, data.group),
                content=content,
                parent_id=None,
            )
        with changing(_conversation_id(data.group), by=_id(data.bob)) as joined:
            joined.record(_updated(data.group))
        assert joined is change
        assert read_clock() == clock
    assert _pages()[data.group.pk].version == before + 1
    assert read_clock() == clock + 5
    sent = Message.objects.filter(conversation=data.group).order_by("-pk")[:2]
    assert [message.sequence for message in sent] == [4, 3]
    positions = Notification.objects.filter(message__in=sent).values("position")
    assert positions.distinct().count() == 2


def test_joining_a_change_costs_no_query(data: Data) -> None:
    with (
        changing(_conversation_id(data.group), by=_id(data.ann)),
        CaptureQueriesContext(connection) as captured,
        changing(_conversation_id(data.group), by=_id(data.ann)),
    ):
        pass
    assert not captured.captured_queries


@pytest.mark.parametrize("within", [True, False])
def test_nothing_is_left_of_a_change_that_fails(within: bool, data: Data) -> None:
    before = _state()

    def fail() -> None:
        with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
            Message.objects.create(
                sender=data.ann, conversation=data.group, content="gone"
            )
            change.renew(data.group.pk, title="Other")
            raise NotDeliverableError

    with transaction.atomic() if within else nullcontext():
        with pytest.raises(NotDeliverableError):
            fail()
        # What it was in goes on.
        assert _state() == before
    assert _state() == before


def test_a_joined_block_that_fails_makes_all_of_its_change_fail(data: Data) -> None:
    before = _state()

    def ignore_error() -> None:
        with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
            change.renew(data.group.pk)
            with transaction.atomic(), suppress(InvalidContentError):
                Message.objects.create(
                    sender=data.ann, conversation=data.group, content=""
                )

    with pytest.raises(TransactionManagementError):
        ignore_error()
    assert _state() == before


def test_a_nested_rollback_fails_its_whole_change(
    data: Data,
) -> None:
    before = _state()

    def ignore_error() -> None:
        with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
            change.record(_updated(data.group))
            with transaction.atomic():
                data.note.content = "third"
                data.note.save()
                transaction.set_rollback(True)

    with pytest.raises(TransactionManagementError):
        ignore_error()
    assert _state() == before


def test_a_nested_change_may_have_a_savepoint(data: Data) -> None:
    clock = read_clock()
    with changing(_conversation_id(data.group), by=_id(data.ann)), transaction.atomic():
        data.note.content = "third"
        data.note.save()
    assert data.note.history.count() == 2
    assert read_clock() == clock + 1


def test_nobody_joins_a_change_whose_transaction_is_over(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = read_clock()
    with open_change() as lost:
        pass
    # As if nobody had noticed its end.
    monkeypatch.setattr("messaging.unit_of_work._current.unit", lost._unit)
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        change.record(_updated(data.group))
    assert read_clock() == clock + 1


def test_a_change_belongs_to_its_thread(data: Data) -> None:
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        with ThreadPoolExecutor() as in_thread:
            recording = in_thread.submit(change.record, _updated(data.group))
        assert isinstance(recording.exception(), BypassError)


def test_a_renewed_page_without_an_event_is_reset(data: Data) -> None:
    clock = read_clock()
    with changing_all(Conversation.objects.filter(pk=data.group.pk)) as change:
        change.renew(data.group.pk)
    [event] = logged_since(clock)
    assert event.type == EventType.CONVERSATION_RESET
    assert event.conversation_id == data.group.pk


def test_each_renewed_page_without_an_event_of_its_own_is_reset(data: Data) -> None:
    clock = read_clock()
    with changing_all(Conversation.objects.all()) as change:
        change.renew(data.direct.pk, data.group.pk)
        change.record(_updated(data.group))
    assert [*logged_since(clock).values_list("type", "conversation_id")] == [
        (EventType.CONVERSATION_UPDATED, data.group.pk),
        (EventType.CONVERSATION_RESET, data.direct.pk),
    ]


def test_what_one_person_is_told_is_no_event_of_a_page(data: Data) -> None:
    clock = read_clock()
    with changing_all(Conversation.objects.filter(pk=data.group.pk)) as change:
        change.renew(data.group.pk)
        change.record(
            conversations.conversation_updated(
                _conversation_id(data.group), recipient=_id(data.bob)
            )
        )
    reset = logged_since(clock).filter(recipient=None).get()
    assert reset.type == EventType.CONVERSATION_RESET


def test_a_new_name_resets_none_of_the_pages_that_it_renews(data: Data) -> None:
    clock = read_clock()
    users.change_display_name(user=data.ann, display_name="Anna")
    assert logged_since(clock).get().type == "user.updated"


def test_nobody_is_to_read_a_page_again_that_is_gone(data: Data) -> None:
    clock = read_clock()
    rows = Conversation.objects.filter(pk=data.group.pk)
    with changing_all(rows) as change:
        change.renew(data.group.pk)
        conversations.erase_conversations(rows, change=change)
    assert not logged_since(clock).exists()


def test_a_change_without_changes_leaves_no_trace(data: Data) -> None:
    before = _state()
    with changing_account(_id(data.ann)) as change:
        change.lock_users({data.bob.pk})
    assert _state() == before


def _lower_id_after_higher(data: Data) -> None:
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        change.conversation(data.direct.pk)


def _conversation_after_account(data: Data) -> None:
    with open_change() as change:
        change.lock_users({data.ann.pk})
        change.conversation(data.direct.pk)


def _conversation_after_a_row_of_an_account(data: Data) -> None:
    with open_change() as change:
        change.locked(User.objects.filter(pk=data.ann.pk)).get()
        change.conversation(data.direct.pk)


def _conversation_after_a_name_that_stays(data: Data) -> None:
    with open_change() as change:
        data.ann.save(update_fields=["display_name"])
        change.conversation(data.direct.pk)


def _conversation_out_of_sight(_: Data) -> None:
    with open_change() as change:
        change.locked(Conversation.objects.all())


def _without_a_lock(data: Data) -> None:
    with open_change() as change:
        change.update(Message.objects.filter(pk=data.hello.pk), read=True)


def _of_another_conversation(data: Data) -> None:
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        change.renew(data.direct.pk)


def _by_hand(data: Data) -> None:
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        change.update(Conversation.objects.filter(pk=data.group.pk), version=9)


def _clock_by_hand(_: Data) -> None:
    with open_change() as change:
        change.update(Installation.objects.all(), clock=9)


def _lower_ids_after_higher(data: Data) -> None:
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        change.lock_all(Conversation.objects.filter(pk=data.direct.pk))


def _account_after_higher(data: Data) -> None:
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        change.conversations_of(_id(data.bob))


def _account_after_account(data: Data) -> None:
    with changing_account(_id(data.cleo)) as change:
        change.conversations_of(_id(data.bob))


def _under_the_lock_of_another(
    write: Callable[[Change, Data], object],
) -> Callable[[Data], None]:
    def act(data: Data) -> None:
        with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
            write(change, data)

    return act


def _inserted_without_a_lock(data: Data) -> None:
    with open_change() as change:
        change.insert([Participant(conversation=data.group, user=data.dora)])


def _late(data: Data) -> Notification:
    return Notification(
        user=data.ann, message=data.reply, conversation=data.direct, kind="reply"
    )


def _kept(data: Data) -> MessageHistory:
    return MessageHistory(
        message=data.hello,
        conversation_id=data.hello.conversation_id,
        version=1,
        old_content="x",
        edited_by=data.ann,
    )


def _ended(data: Data) -> Change:
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        pass
    return change


def _erase_too_late(data: Data) -> None:
    _ended(data).erase(Notification.objects.filter(message=data.hello))


def _after_it_failed(data: Data) -> None:
    with suppress(NotDeliverableError), open_change() as change:
        change.lock_all(Conversation.objects.all())
        raise NotDeliverableError
    change.erase(Notification.objects.filter(message=data.hello))


@pytest.mark.parametrize(
    "act",
    [
        _lower_id_after_higher,
        _conversation_after_account,
        _conversation_after_a_row_of_an_account,
        _conversation_after_a_name_that_stays,
        _conversation_out_of_sight,
        _without_a_lock,
        _of_another_conversation,
        _by_hand,
        _clock_by_hand,
        _erase_too_late,
        _lower_ids_after_higher,
        _inserted_without_a_lock,
        _after_it_failed,
        _account_after_higher,
        _account_after_account,
        *(
            _under_the_lock_of_another(write)
            for write in (
                lambda c, s: c.update(
                    Message.objects.filter(pk__in=[s.hello.pk, s.note.pk]), read=True
                ),
                lambda c, s: c.update(
                    Participant.objects.filter(conversation=s.direct), muted=True
                ),
                lambda c, s: c.update(
                    Conversation.objects.filter(pk=s.direct.pk), title="x"
                ),
                lambda c, _: (
                    c.update(MessageHistory.objects.all(), position=0)
                    and c.erase(Notification.objects.all())
                ),
                lambda c, s: c.erase(Message.objects.filter(pk=s.reply.pk)),
                lambda c, s: c.turn_into_tombstones(
                    Message.objects.filter(pk=s.hello.pk)
                ),
                lambda c, s: c.count_reply(s.hello),
                lambda c, s: c.insert([_late(s)]),
                lambda c, s: c.insert_with(_updated(s.direct), [_late(s)]),
                lambda c, s: c.insert_with(_updated(s.direct), [_kept(s)]),
            )
        ),
    ],
)
def test_a_change_refuses_what_its_locks_do_not_cover(
    data: Data, act: Callable[[Data], None]
) -> None:
    before = _state()
    with pytest.raises(BypassError):
        act(data)
    assert _state() == before


@pytest.mark.parametrize(
    "act",
    [
        lambda c, s: c.conversation(s.group.pk),
        lambda c, s: c.conversations_of(_id(s.ann)),
        lambda c, _: c.lock_all(Conversation.objects.all()),
        lambda c, s: c.lock_users({s.ann.pk}),
        lambda c, _: c.locked(Message.objects.all()),
        lambda c, _: c.insert([]),
        lambda c, s: c.insert_with(_updated(s.group), []),
        lambda c, s: c.renew(s.group.pk),
        lambda c, s: c.record(_updated(s.group)),
        lambda c, _: c.wake(),
        lambda c, _: c.announce_erased_account(),
    ],
)
def test_a_change_that_has_ended_takes_nothing_more(
    data: Data, act: Callable[[Change, Data], object]
) -> None:
    with changing(_conversation_id(data.group), by=_id(data.ann)) as change:
        pass
    with pytest.raises(BypassError):
        act(change, data)


def test_a_new_name_locks_conversations_before_the_account(data: Data) -> None:
    """The look at the stored name, which locks the account, does not count: it lets go."""
    with open_change() as change:
        data.ann.display_name = "Anna"
        data.ann.save(update_fields=["display_name"])
        assert change.conversation(data.direct.pk) == data.direct


def _anything(rows: QuerySet[Row]) -> QuerySet[Row]:
    """As mypy sees those of any model: nothing is refused by type."""
    return rows


@pytest.mark.parametrize(
    "write",
    [
        lambda s: _anything(s.ann.participations.all()).update(role="member"),
        lambda s: _anything(s.group.participants.all()).create(user=s.dora),
        lambda s: _anything(s.group.participants.all()).delete(),
        lambda _: _anything(Participant.objects.all()).bulk_create([]),
        lambda _: _anything(Conversation.objects.all()).get_or_create(title="x"),
        lambda s: _anything(Notification.objects.all()).update_or_create(user=s.bob),
        lambda _: _anything(Notification.objects.all())._raw_delete("default"),
        lambda _: _anything(Message.objects.all()).update(read=True),
        lambda s: _anything(Message.objects.all()).bulk_update([s.hello], ["read"]),
        lambda s: s.group.participants.add(s.direct.participants.first()),
        lambda s: methodcaller("set", [s.hello])(s.group.messages),
        lambda _: _anything(Message._base_manager.all()).update(read=True),
        lambda s: _anything(s.note.history.all()).update(version=7),
        lambda s: methodcaller("delete")(s.note.history.first()),
        lambda s: methodcaller("save")(s.note.history.first()),
        lambda s: _anything(s.note.history.all()).create(version=7),
        lambda _: _anything(Event.objects.all()).update(type="message.read"),
        lambda _: _anything(Event.objects.all()).delete(),
        lambda _: _anything(Event.objects.all()).create(position=10**6),
        lambda _: methodcaller("save")(Event.objects.first()),
        lambda _: _anything(Installation.objects.all()).update(clock=0),
        lambda _: methodcaller("save")(Installation.objects.get()),
        lambda s: methodcaller("save")(s.group),
        lambda s: methodcaller("delete")(s.group),
        lambda s: methodcaller("delete")(s.hello),
    ],
)
def test_what_mypy_does_not_see_is_refused_when_it_runs(
    data: Data, write: Callable[[Data], object]
) -> None:
    before = _state()
    with pytest.raises(BypassError):
        write(data)
    assert _state() == before
