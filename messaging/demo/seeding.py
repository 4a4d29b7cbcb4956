"""Seeds the demo: a small, believable set of conversations, for a first look."""

import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import DateTimeField, OuterRef, Subquery
from django.utils import timezone

from messaging.access import Membership, membership, own_message
from messaging.changes import changing_all
from messaging.demo.accounts import MARK, demo_people
from messaging.demo.script import (
    MUTED,
    PEOPLE,
    ScriptedConversation,
    ScriptedMessage,
    read_script,
)
from messaging.ids import ConversationId, MessageId, UserId
from messaging.ids import Sequence as MessageSequence
from messaging.models import (
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.models.conversations import ConversationQuerySet
from messaging.models.users import WhoMayAdd
from messaging.sequence_ranges import SequenceRange
from messaging.services.conversations import open_direct, start_group
from messaging.services.messages import edit_message
from messaging.services.notifications import mark_ranges_read
from messaging.services.participants import set_muted

_FIRST: Final = next(iter(PEOPLE))
_EDITED_AFTER: Final = timedelta(minutes=2)


class DemoNameTakenError(Exception):
    """A real account has a username of the demo."""


class DemoState(Enum):
    SEEDED = auto()
    ALREADY_THERE = auto()
    # The demo existed, but its password file did not: all its users got a new password.
    PASSWORD_RENEWED = auto()
    # The demo existed, and somebody changed the password: it is not known here.
    PASSWORD_UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    username: str
    password: str
    state: DemoState


def seed_demo(*, password_file: Path) -> DemoSignIn:
    """Create the demo unless it exists, and return how to sign in to it.

    All its users have the same random password, which is stored in a file that only its
    owner can read. One transaction: all of the demo exists, or nothing of it.

    Raises:
        DemoNameTakenError: nothing was written.
    """
    with transaction.atomic():
        people = list(demo_people())
        if people:
            return _present(people, password_file)
        _require_free_usernames()
        password = _kept_password(password_file)
        _send_scripted_messages(_open_accounts(password))
        return DemoSignIn(_FIRST, password, DemoState.SEEDED)


def _present(people: Sequence[User], password_file: Path) -> DemoSignIn:
    known = _stored_password(password_file)
    password = known or _kept_password(password_file)
    # The user may have deleted the account since.
    first = people[0]
    if known is None:
        User.objects.filter(pk__in=[user.pk for user in people]).update(
            password=make_password(password)
        )
        state = DemoState.PASSWORD_RENEWED
    # Not `user.check_password()`, which may write a stronger hash.
    elif check_password(password, first.password):
        state = DemoState.ALREADY_THERE
    else:
        state = DemoState.PASSWORD_UNKNOWN
    return DemoSignIn(first.username, password, state)


def _require_free_usernames() -> None:
    taken = User.objects.filter(username_key__in=PEOPLE).order_by("username_key")
    if names := ", ".join(taken.values_list("username", flat=True)):
        raise DemoNameTakenError(
            f"The demo needs usernames that real accounts have: {names}. "
            "Nothing was written."
        )


def _stored_password(file: Path) -> str | None:
    with suppress(FileNotFoundError):
        return file.read_text().strip() or None
    return None


def _kept_password(file: Path) -> str:
    """The password in the file; the file is made the first time, and appears complete."""
    if (known := _stored_password(file)) is not None:
        return known
    password = secrets.token_urlsafe(12)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(f"{password}\n")
    temporary.replace(file)
    return password


def _open_accounts(password: str) -> Mapping[str, User]:
    hashed = make_password(password)
    users = {
        username: User(
            username=username,
            display_name=display_name,
            external_id=f"{MARK}{username}",
            password=hashed,
            # The demo's groups are made at once, whatever the installation's default.
            who_may_add=WhoMayAdd.EVERYONE,
        )
        for username, display_name in PEOPLE.items()
    }
    for user in users.values():
        user.save()
    return users


def _send_scripted_messages(people: Mapping[str, User]) -> None:
    script = read_script(timezone.now().replace(microsecond=0))
    begun: dict[ScriptedConversation, Conversation] = {}
    for scripted in script:
        if scripted.conversation not in begun:
            begun[scripted.conversation] = _begin(scripted.conversation, people)
    ids = [conversation.pk for conversation in begun.values()]
    conversations = Conversation.objects.filter(pk__in=ids)
    sent: dict[int, Message] = {}
    # One change, so that its rows are numbered and inserted together.
    with changing_all(conversations):
        for scripted in script:
            sent[scripted.number] = _send(scripted, people, begun, sent)
    _backdate(conversations)
    _read_what_is_old(script, begun, sent, people)
    muted = next(each for each in begun if each.title == MUTED)
    set_muted(membership=_membership(people[_FIRST], begun[muted]), muted=True)


def _begin(scripted: ScriptedConversation, people: Mapping[str, User]) -> Conversation:
    first, *others = scripted.usernames
    if scripted.title is not None:
        return start_group(
            owner=people[first], title=scripted.title, usernames=others
        ).conversation
    one, other = (UserId(people[name].pk) for name in scripted.usernames)
    return open_direct(one=one, other=other).conversation


def _send(
    scripted: ScriptedMessage,
    people: Mapping[str, User],
    begun: Mapping[ScriptedConversation, Conversation],
    sent: Mapping[int, Message],
) -> Message:
    sender = people[scripted.sender]
    first, *later = scripted.versions
    message = Message.objects.create(
        conversation=begun[scripted.conversation],
        sender=sender,
        parent_message=None if scripted.parent is None else sent[scripted.parent],
        content=first,
        timestamp=scripted.sent_at,
    )
    for content in later:
        edit_message(
            message=own_message(
                sender=UserId(sender.pk), message_id=MessageId(message.pk)
            ),
            content=content,
        )
    return message


def _backdate(conversations: ConversationQuerySet) -> None:
    """Set all timestamps to the times of the script's messages."""
    participants = Participant.objects.filter(conversation__in=conversations)
    notifications = Notification.objects.filter(conversation__in=conversations)
    sent_at = Message.objects.filter(pk=OuterRef("message")).values("timestamp")
    with changing_all(conversations) as change:
        change.update(
            conversations,
            created_at=_sent(OuterRef("pk"), "timestamp"),
            # The order of the list.
            last_activity_at=_sent(OuterRef("pk"), "-timestamp"),
        )
        change.update(
            participants, joined_at=_sent(OuterRef("conversation"), "timestamp")
        )
        change.update(notifications, created_at=Subquery(sent_at))
        edits = MessageHistory.objects.filter(conversation__in=conversations)
        for edit in edits.select_related("message"):
            moment = edit.message.timestamp + edit.version * _EDITED_AFTER
            change.update(edits.filter(pk=edit.pk), edited_at=moment)


def _sent(
    conversation: OuterRef, order: str
) -> "Subquery[DateTimeField[datetime, datetime]]":
    messages = Message.objects.filter(conversation=conversation).order_by(order)
    return Subquery(messages.values("timestamp")[:1])


def _read_what_is_old(
    script: Sequence[ScriptedMessage],
    begun: Mapping[ScriptedConversation, Conversation],
    sent: Mapping[int, Message],
    people: Mapping[str, User],
) -> None:
    """Mark everything read, but what the script leaves to the user to sign in as."""
    newest: dict[tuple[ScriptedConversation, str], int] = {}
    for scripted in script:
        for username in scripted.conversation.usernames:
            if not (scripted.unread and username == _FIRST):
                sequence = sent[scripted.number].sequence
                newest[scripted.conversation, username] = sequence
    for (conversation, username), last in newest.items():
        mark_ranges_read(
            membership=_membership(people[username], begun[conversation]),
            ranges=[SequenceRange(MessageSequence(1), MessageSequence(last))],
        )


def _membership(user: User, conversation: Conversation) -> Membership:
    return membership(
        reader=UserId(user.pk), conversation_id=ConversationId(conversation.pk)
    )
