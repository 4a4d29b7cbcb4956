"""A small believable set of conversations, for a first look around."""

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
from django.db.models import Max, Min, OuterRef, Subquery
from django.utils import timezone

from messaging.access import membership, own_message
from messaging.demo.story import GROUPS, PEOPLE, STORY, Said
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
from messaging.services.conversations import open_direct, start_group
from messaging.services.messages import edit_message
from messaging.services.notifications import mark_conversation_read

_FIRST: Final = next(iter(PEOPLE))
# What tells a demo account from a person's who happens to have its username.
_MARK: Final = "parley-demo/"

# What came later than this is unread by the one to sign in as.
_UNREAD_MINUTES: Final = 90
_EDITED_AFTER: Final = timedelta(minutes=2)


class DemoNameTakenError(Exception):
    """A real account has the username of someone in the demo."""


class DemoState(Enum):
    SEEDED = auto()
    ALREADY_THERE = auto()
    # Already there, but without the file: all got the password of a new one.
    PASSWORD_RENEWED = auto()
    # Already there, but the password was changed and is not known here.
    PASSWORD_UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    username: str
    password: str
    state: DemoState


def seed_demo(*, password_file: Path) -> DemoSignIn:
    """Fill in the demo once, and tell how to sign in to it.

    All people of the demo have the same random password, which is kept in a file
    that only its owner can read. One transaction: there is all of it or nothing.

    Raises:
        DemoNameTakenError: nothing was written.
    """
    with transaction.atomic():
        people = _demo_people()
        if people:
            return _present(people, password_file)
        _require_free_usernames()
        password = _kept_password(password_file)
        _tell_the_story(_open_accounts(password))
        return DemoSignIn(_FIRST, password, DemoState.SEEDED)


def _present(people: Sequence[User], password_file: Path) -> DemoSignIn:
    known = _stored_password(password_file)
    password = known or _kept_password(password_file)
    # The first may have deleted the account since.
    first = people[0]
    if known is None:
        User.objects.filter(pk__in=[user.pk for user in people]).update(
            password=make_password(password)
        )
        state = DemoState.PASSWORD_RENEWED
    # Not the method of the user, which may write a stronger hash.
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
    """The password in the file, made the first time and complete when it appears."""
    if (known := _stored_password(file)) is not None:
        return known
    password = secrets.token_urlsafe(12)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(f"{password}\n")
    draft.replace(file)
    return password


def _open_accounts(password: str) -> Mapping[str, User]:
    hashed = make_password(password)
    users = {
        username: User(
            username=username,
            display_name=display_name,
            external_id=f"{_MARK}{username}",
            password=hashed,
        )
        for username, display_name in PEOPLE.items()
    }
    for user in users.values():
        user.save()
    return users


def _tell_the_story(people: Mapping[str, User]) -> None:
    now = timezone.now().replace(microsecond=0)
    groups = {
        title: start_group(
            owner=people[owner], title=title, usernames=members
        ).conversation
        for title, (owner, *members) in GROUPS.items()
    }
    sent: dict[str, Message] = {}
    for said in STORY:
        message = _send(said, people=people, groups=groups, sent=sent, now=now)
        sent[said.key or said.content] = message
    conversations = {message.conversation_id for message in sent.values()}
    _backdate(conversations)
    _read_what_is_old(conversations, newcomer=people[_FIRST], now=now)


def _send(
    said: Said,
    *,
    people: Mapping[str, User],
    groups: Mapping[str, Conversation],
    sent: Mapping[str, Message],
    now: datetime,
) -> Message:
    sender = people[said.sender]
    first, *later = (*said.before, said.content)
    message = Message.objects.create(
        conversation=_conversation(said, people, groups),
        sender=sender,
        parent_message=sent[said.reply_to] if said.reply_to else None,
        content=first,
        timestamp=now - timedelta(minutes=said.minutes_ago),
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
    said: Said, people: Mapping[str, User], groups: Mapping[str, Conversation]
) -> Conversation:
    if said.to in groups:
        return groups[said.to]
    sender, receiver = people[said.sender], people[said.to]
    return open_direct(one=UserId(sender.pk), other=UserId(receiver.pk)).conversation


def _backdate(conversations: Iterable[int]) -> None:
    """Let all have happened when the messages were sent, instead of just now."""
    for conversation in conversations:
        messages = Message.objects.filter(conversation=conversation)
        begun = messages.aggregate(begun=Min("timestamp"))["begun"]
        Conversation.objects.filter(pk=conversation).update(created_at=begun)
        Participant.objects.filter(conversation=conversation).update(joined_at=begun)
    sent_at = Message.objects.filter(pk=OuterRef("message")).values("timestamp")
    Notification.objects.filter(conversation__in=conversations).update(
        created_at=Subquery(sent_at)
    )
    edits = MessageHistory.objects.filter(message__conversation__in=conversations)
    for edit in edits.select_related("message"):
        edit.edited_at = edit.message.timestamp + edit.version * _EDITED_AFTER
        edit.save(update_fields=["edited_at"])


def _read_what_is_old(
    conversations: Iterable[int], *, newcomer: User, now: datetime
) -> None:
    """Everybody has read everything, but the one to sign in as not the latest."""
    old = Message.objects.filter(timestamp__lt=now - timedelta(minutes=_UNREAD_MINUTES))
    for part in Participant.objects.filter(conversation__in=conversations):
        messages = old if part.user_id == newcomer.pk else Message.objects.all()
        newest = messages.filter(conversation=part.conversation_id).aggregate(
            newest=Max("sequence")
        )["newest"]
        mark_conversation_read(
            membership=membership(
                reader=UserId(part.user_id),
                conversation_id=ConversationId(part.conversation_id),
            ),
            up_to=MessageSequence(newest or 0),
        )
