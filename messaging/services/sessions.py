"""Browser sessions: where a person is signed in, and ending that."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from messaging.errors import SessionNotFoundError
from messaging.ids import UserId
from messaging.models import Session
from messaging.models.sessions import digest_of

# What is kept in a session beside Django's own: see `signed_in_note`.
_DEVICE: Final = "device"
_SINCE: Final = "since"


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser that someone is signed in with.

    `reference` names it, and opens nothing: its key is in the browser alone.
    """

    reference: str
    device: str
    since: datetime | None
    expires_at: datetime
    current: bool


def signed_in_note(*, device: str) -> dict[str, str]:
    """What a new session keeps, so that its person knows it again in the list."""
    return {_DEVICE: device, _SINCE: timezone.now().isoformat()}


def browser_sessions(*, person: UserId, current: str | None) -> list[BrowserSession]:
    """Where someone is signed in: here first, then the latest.

    `current` is the key of the session that asks.
    """
    here = digest_of(current or "")
    listed = [_listed(row, here) for row in _live(person)]
    listed.sort(key=lambda one: one.expires_at, reverse=True)
    listed.sort(key=lambda one: not one.current)
    return listed


def end_session(*, person: UserId, reference: str) -> None:
    """Sign a browser out at once.

    Raises:
        SessionNotFoundError: it is not theirs, already ended, or there is none.
    """
    if not _live(person).filter(pk=reference).delete()[0]:
        raise SessionNotFoundError("You are not signed in there.")


def end_other_sessions(*, person: UserId, current: str | None) -> int:
    """Sign out everywhere but here; says how many sessions ended."""
    here = digest_of(current or "")
    others = Session.objects.filter(user=person).exclude(pk=here)
    return others.delete()[0]


def passwords_of_sessions(*, keys: Collection[str]) -> Mapping[str, str]:
    """The stored password of whom each of these sessions is, unless it has ended.

    A session does not outlive the password it was begun with. One query, none for
    none.
    """
    if not keys:
        return {}
    digests = {digest_of(key): key for key in keys}
    running = Session.objects.filter(
        session_key__in=digests, expire_date__gt=timezone.now(), user__is_active=True
    )
    return {
        digests[digest]: password or ""
        for digest, password in running.values_list("session_key", "user__password")
    }


def clear_expired_sessions() -> int:
    """Forget sessions that have ended; says how many."""
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    return expired._raw_delete(expired.db)


def _live(person: UserId) -> QuerySet[Session]:
    return Session.objects.filter(user=person, expire_date__gt=timezone.now())


def _listed(row: Session, here: str) -> BrowserSession:
    kept = row.get_decoded()
    return BrowserSession(
        reference=row.pk,
        device=str(kept.get(_DEVICE, "")),
        since=parse_datetime(str(kept.get(_SINCE, ""))),
        expires_at=row.expire_date,
        current=row.pk == here,
    )
