"""Seeds the demo: a small, believable set of conversations, for a first look."""

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import DateTimeField, Max, OuterRef, Subquery
from django.utils import timezone

from messaging.access import membership, own_message
from messaging.changes import changing_all
from messaging.demo.story import GROUPS, PEOPLE, STORY, ScriptedMessage
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
from messaging.models.users import WhoMayAdd
from messaging.sequence_ranges import SequenceRange
from messaging.services.conversations import open_direct, start_group
from messaging.services.messages import edit_message
from messaging.services.notifications import mark_ranges_read

_FIRST: Final = next(iter(PEOPLE))
# External ids mark demo accounts: a real account may have one of the demo's usernames.
_MARK: Final = "parley-demo/"

# Messages younger than this stay unread for the user to sign in as.
_UNREAD_MINUTES: Final = 90
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
        people = _demo_people()
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


def _demo_people() -> list[User]:
    marks = [f"{_MARK}{username}" for username in PEOPLE]
    return list(User.objects.filter(external_id__in=marks).order_by("pk"))


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
            external_id=f"{_MARK}{username}",
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
    now = timezone.now().replace(microsecond=0)
    groups = {
        title: start_group(
            owner=people[owner], title=title, usernames=members
        ).conversation
        for title, (owner, *members) in GROUPS.items()
    }
    sent: dict[str, Message] = {}
    for scripted in STORY:
        message = _send(scripted, people=people, groups=groups, sent=sent, now=now)
        sent[scripted.key or scripted.content] = message
    conversations = {message.conversation_id for message in sent.values()}
    _backdate(conversations)
    _read_what_is_old(conversations, newcomer=people[_FIRST], now=now)


def _send(
    scripted: ScriptedMessage,
    *,
    people: Mapping[str, User],
    groups: Mapping[str, Conversation],
    sent: Mapping[str, Message],
    now: datetime,
) -> Message:
    sender = people[scripted.sender]
    first, *later = (*scripted.before, scripted.content)
    message = Message.objects.create(
        conversation=_conversation(scripted, people, groups),
        sender=sender,
        parent_message=sent[scripted.reply_to] if scripted.reply_to else None,
        content=first,
        timestamp=now - timedelta(minutes=scripted.minutes_ago),
    )
    for content in later:
        edit_message(
            message=own_message(
                sender=UserId(sender.pk), message_id=MessageId(message.pk)
            ),
            content=content,
        )
    return message


def _conversation(
    scripted: ScriptedMessage,
    people: Mapping[str, User],
    groups: Mapping[str, Conversation],
) -> Conversation:
    if scripted.to in groups:
        return groups[scripted.to]
    sender, receiver = people[scripted.sender], people[scripted.to]
    return open_direct(one=UserId(sender.pk), other=UserId(receiver.pk)).conversation


def _backdate(conversations: Iterable[int]) -> None:
    """Set all timestamps to the times of the script's messages."""
    rows = Conversation.objects.filter(pk__in=conversations)
    participants = Participant.objects.filter(conversation__in=conversations)
    notifications = Notification.objects.filter(conversation__in=conversations)
    sent_at = Message.objects.filter(pk=OuterRef("message")).values("timestamp")
    with changing_all(rows) as change:
        change.update(rows, created_at=_begun(OuterRef("pk")))
        change.update(participants, joined_at=_begun(OuterRef("conversation")))
        change.update(notifications, created_at=Subquery(sent_at))
        edits = MessageHistory.objects.filter(message__conversation__in=conversations)
        for edit in edits.select_related("message"):
            moment = edit.message.timestamp + edit.version * _EDITED_AFTER
            change.update(edits.filter(pk=edit.pk), edited_at=moment)


def _begun(conversation: OuterRef) -> "Subquery[DateTimeField[datetime, datetime]]":
    messages = Message.objects.filter(conversation=conversation).order_by("timestamp")
    return Subquery(messages.values("timestamp")[:1])


def _read_what_is_old(
    conversations: Iterable[int], *, newcomer: User, now: datetime
) -> None:
    """Mark everything read, except the latest messages to the user to sign in as."""
    old = Message.objects.filter(timestamp__lt=now - timedelta(minutes=_UNREAD_MINUTES))
    for participant in Participant.objects.filter(conversation__in=conversations):
        messages = old if participant.user_id == newcomer.pk else Message.objects.all()
        newest = messages.filter(conversation=participant.conversation_id).aggregate(
            newest=Max("sequence")
        )["newest"]
        mark_ranges_read(
            membership=membership(
                reader=UserId(participant.user_id),
                conversation_id=ConversationId(participant.conversation_id),
            ),
            ranges=[SequenceRange(MessageSequence(1), MessageSequence(newest or 0))],
        )
