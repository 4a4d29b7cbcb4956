"""Who writes and who is there: told to whoever listens, and never again."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from api.events import frames
from api.events.frames import Addressed
from messaging.ids import UserId
from messaging.models import User
from messaging.services.presence import (
    PRESENCE_LASTS,
    contacts_among,
    declare_present,
    present_contacts,
    present_users,
    withdraw_presence,
)
from messaging.services.typists import Typist, onlookers, typing_now

_PRESENCE_SECONDS: Final = 1.0
_RENEWED_EVERY: Final = PRESENCE_LASTS.total_seconds() / 3
# Reloading a page is no coming and going.
_GRACE_SECONDS: Final = 5.0
# So that many who come at once do not hold up what is said.
_CHANGES_AT_ONCE: Final = 50


class TypingWatch:
    """What changed among those who write."""

    def __init__(self) -> None:
        self._known: dict[Typist, datetime] = {}

    def changes(self, audience: frozenset[UserId]) -> list[Addressed]:
        now = typing_now()
        changed = now.keys() ^ self._known.keys()
        self._known = now
        if not changed:
            return []
        seen = onlookers(changed, audience=audience)
        people = User.objects.in_bulk([typist.user_id for typist in changed])
        return [
            Addressed(
                recipients,
                frames.typing(
                    people[typist.user_id], typist.conversation_id, on=typist in now
                ),
            )
            for typist, recipients in seen.items()
            if recipients and typist.user_id in people
        ]


class PresenceWatch:
    """Says who is at this process, and what changed at all of them."""

    def __init__(self, process: str) -> None:
        self._process = process
        # With when they were here last.
        self.declared: dict[UserId, float] = {}
        self._known: frozenset[UserId] | None = None
        self._looked = self._renewed = 0.0

    def changes(self, listeners: Callable[[], frozenset[UserId]]) -> list[Addressed]:
        now = time.monotonic()
        if now < self._looked + _PRESENCE_SECONDS:
            return []
        self._looked = now
        self._declare(listeners(), now)
        present = present_users()
        # Asked after reading: whoever comes later reads it themselves.
        here = listeners()
        if self._known is None:
            self._known = present
            return list(_there(here))
        changed = frozenset(sorted(present ^ self._known)[:_CHANGES_AT_ONCE])
        self._known ^= changed
        return list(_shown(changed, present, here)) if changed and here else []

    def withdraw(self) -> None:
        if self.declared:
            withdraw_presence(process=self._process)
        self.declared = {}

    def _declare(self, here: frozenset[UserId], now: float) -> None:
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


def _there(audience: frozenset[UserId]) -> Iterator[Addressed]:
    """For who came before anybody looked: what they read may be older than that."""
    for user in audience:
        for met in present_contacts(user=user):
            yield Addressed(frozenset({user}), frames.presence(met, online=True))


def _shown(
    changed: frozenset[UserId], present: frozenset[UserId], audience: frozenset[UserId]
) -> Iterator[Addressed]:
    contacts = contacts_among(changed, audience=audience)
    people = User.objects.in_bulk(changed)
    for user, recipients in contacts.items():
        if recipients and user in people:
            online = user in present
            yield Addressed(recipients, frames.presence(people[user], online=online))
