"""Browser sessions: listing and ending them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from messaging.changes import open_change
from messaging.database import erase_in_batches
from messaging.errors import SessionNotFoundError
from messaging.ids import UserId
from messaging.models import Session, User
from messaging.models.sessions import digest_of
from messaging.services.access_revocations import access_ended

# Our keys in the session's data: see `new_session_data`.
_DEVICE: Final = "device"
_SINCE: Final = "since"


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser in which a user is signed in.

    `reference` identifies it, but signs nobody in: only the browser has the session's
    key.
    """

    reference: str
    device: str
    since: datetime | None
    expires_at: datetime
    current: bool


def new_session_data(*, device: str) -> dict[str, str]:
    """The data of a new session by which its user recognises it in the list."""
    return {_DEVICE: device, _SINCE: timezone.now().isoformat()}


def browser_sessions(*, user_id: UserId, current: str | None) -> list[BrowserSession]:
    """A user's browser sessions: first the current one, then the others, the latest first.

    `current` is the key of the session that asks.
    """
    here = digest_of(current or "")
    listed = [_listed(row, here) for row in _live(user_id)]
    listed.sort(key=lambda one: one.expires_at, reverse=True)
    # The sort is stable: among the others, the first order stays.
    listed.sort(key=lambda one: not one.current)
    return listed


def end_session(*, user_id: UserId, reference: str) -> None:
    """Sign a browser out at once.

    Raises:
        SessionNotFoundError: the user has no such session (any more).
    """
    if not _ended(_live(user_id).filter(pk=reference), user_id):
        raise SessionNotFoundError("You are not signed in there.")


def end_other_sessions(*, user_id: UserId, current: str | None) -> int:
    """End all sessions but the current one; return how many ended."""
    here = digest_of(current or "")
    others = Session.objects.filter(user=user_id).exclude(pk=here)
    return _ended(others, user_id)


def end_session_of_key(*, key: str) -> None:
    """Delete a session after sign-out, or after its key was cycled."""
    row = Session.objects.filter(pk=digest_of(key))
    user_id = row.values_list("user", flat=True).first()
    if user_id is None:
        # The session of somebody who is not signed in: there are no streams to end.
        row.delete()
    else:
        _ended(row, UserId(user_id))


def end_oldest_sessions(*, user_id: UserId) -> None:
    """End the sessions that were unused longest, to make room for one more."""
    kept = (
        Session.objects.filter(user=user_id)
        .order_by("-expire_date", "pk")
        .values_list("pk", flat=True)[: settings.PARLEY_MAX_SESSIONS - 1]
    )
    _ended(Session.objects.filter(user=user_id).exclude(pk__in=list(kept)), user_id)


def passwords_of_sessions(*, keys: Collection[str]) -> Mapping[str, str]:
    """By session key: the password hash of the user, for sessions that have not ended.

    Streams compare it, since changing the password ends their sessions. One query, or
    none without keys.
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
    """Delete expired sessions; return how many."""
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    return erase_in_batches(expired)


def _ended(sessions: QuerySet[Session], user_id: UserId) -> int:
    """Delete sessions, and end the streams opened with them; return how many."""
    with open_change() as change:
        # The account before the clock, since the event names it: see decision 0025.
        account = change.locked(User.objects.filter(pk=user_id))
        number, _ = sessions.filter(user__in=account).delete()
        if number:
            change.record(access_ended(user_id))
    return number


def _live(user_id: UserId) -> QuerySet[Session]:
    return Session.objects.filter(user=user_id, expire_date__gt=timezone.now())


def _listed(row: Session, here: str) -> BrowserSession:
    kept = row.get_decoded()
    return BrowserSession(
        reference=row.pk,
        device=str(kept.get(_DEVICE, "")),
        since=parse_datetime(str(kept.get(_SINCE, ""))),
        expires_at=row.expire_date,
        current=row.pk == here,
    )
