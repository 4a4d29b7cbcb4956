"""Typing and presence: transient events, sent to open streams and never replayed."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

from django.db import OperationalError

from api.events import frames
from api.events.frames import AddressedFrame
from messaging.ids import UserId
from messaging.lock_timeouts import lock_timeout
from messaging.models import User
from messaging.services.presence import (
    PRESENCE_LASTS,
    contacts_among,
    declare_present,
    present_contacts,
    present_users,
    withdraw_presence,
)
from messaging.services.typing_indicators import TypingUser, typing_audience, typing_now

_PRESENCE_SECONDS: Final = 1.0
_RENEWED_EVERY: Final = PRESENCE_LASTS.total_seconds() / 3
_PATIENCE_SECONDS: Final = 0.5
# Wait this long after a user's last stream closed: reloading a page must not look like
# leaving.
_GRACE_SECONDS: Final = 5.0
# At most so many changes a round, so that a burst of sign-ins does not delay other
# events.
_CHANGES_AT_ONCE: Final = 50


class TypingWatch:
    """Finds typing indicators that changed since the last call."""

    def __init__(self) -> None:
        self._known: dict[TypingUser, datetime] = {}

    def changes(self, audience: frozenset[UserId]) -> list[AddressedFrame]:
        now = typing_now()
        changed = now.keys() ^ self._known.keys()
        self._known = now
        if not changed:
            return []
        seen = typing_audience(changed, audience=audience)
        users = User.objects.in_bulk([typing_user.user_id for typing_user in changed])
        return [
            AddressedFrame(
                recipients,
                frames.typing(
                    users[typing_user.user_id],
                    typing_user.conversation_id,
                    on=typing_user in now,
                ),
            )
            for typing_user, recipients in seen.items()
            if recipients and typing_user.user_id in users
        ]


class PresenceWatch:
    """Writes the presence of this process's users, and finds changes in all processes."""

    def __init__(self, process: str) -> None:
        self._process = process
        # By user: when a stream of theirs was last open.
        self.declared: dict[UserId, float] = {}
        self._known: frozenset[UserId] | None = None
        self._looked = self._renewed = 0.0

    def changes(
        self, listeners: Callable[[], frozenset[UserId]]
    ) -> list[AddressedFrame]:
        now = time.monotonic()
        if now < self._looked + _PRESENCE_SECONDS:
            return []
        self._looked = now
        self._declare(listeners(), now)
        present = present_users()
        # Ask for the listeners after reading presence: a user who connects later reads
        # presence at the start of their stream.
        here = listeners()
        if self._known is None:
            self._known = present
            return list(_initial_presence(here))
        changed = frozenset(sorted(present ^ self._known)[:_CHANGES_AT_ONCE])
        self._known ^= changed
        return (
            list(_presence_changes(changed, present, here)) if changed and here else []
        )

    def withdraw(self) -> None:
        if self.declared:
            withdraw_presence(process=self._process)
        self.declared = {}

    def _declare(self, here: frozenset[UserId], now: float) -> None:
        """Write who is present. If the database is locked, give up until the next round.

        Events must not wait for it.
        """
        with suppress(OperationalError), lock_timeout(_PATIENCE_SECONDS):
            self._declare_due(here, now)

    def _declare_due(self, here: frozenset[UserId], now: float) -> None:
        due = now >= self._renewed + _RENEWED_EVERY
        if due or here - self.declared.keys():
            declare_present(process=self._process, users=here | self.declared.keys())
            self._renewed = now
        self.declared |= dict.fromkeys(here, now)
        left = [
            user for user, at in self.declared.items() if now >= at + _GRACE_SECONDS
        ]
        if left:
            withdraw_presence(process=self._process, users=left)
            for user in left:
                del self.declared[user]


def _initial_presence(audience: frozenset[UserId]) -> Iterator[AddressedFrame]:
    """The contacts who are online, for users who connected before this watch's first round.

    They read presence when their streams opened. Nobody watched for changes between
    that and the first round, so it is sent again.
    """
    for user in audience:
        for contact in present_contacts(user=user):
            frame = frames.presence(contact, online=True)
            yield AddressedFrame(frozenset({user}), frame)


def _presence_changes(
    changed: frozenset[UserId], present: frozenset[UserId], audience: frozenset[UserId]
) -> Iterator[AddressedFrame]:
    contacts = contacts_among(changed, audience=audience)
    users = User.objects.in_bulk(changed)
    for user, recipients in contacts.items():
        if recipients and user in users:
            online = user in present
            yield AddressedFrame(
                recipients, frames.presence(users[user], online=online)
            )
