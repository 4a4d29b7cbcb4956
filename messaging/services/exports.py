"""The export of an account's data, read page by page.

Pages are read by ascending id, each with a short query: however slowly the client
reads, no transaction stays open, no lock is held, and only one page is in memory.

Over all processes, a user has one export at a time. A lease in the database ensures it:
a row with an expiry time, which is renewed while the export runs.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, OperationalError
from django.db.models import Q, QuerySet
from django.utils import timezone

from messaging.database import execute
from messaging.errors import ExportRunningError
from messaging.ids import UserId
from messaging.lock_timeouts import lock_timeout
from messaging.models import (
    Block,
    ExportLease,
    InviteCode,
    LookNotice,
    Message,
    MessageHistory,
    Participant,
    User,
)
from messaging.models.messages import MessageQuerySet
from messaging.projections import MessageProjection, UserProjection
from messaging.services.limits import spend_quota
from messaging.services.looks import LookProjection

logger = logging.getLogger(__name__)

# Rows in memory at a time, for accounts of any size.
PAGE_SIZE: Final = 500

# Longer than a client may take to read one page. After a process was killed, its lease
# blocks the next export this long.
LEASED_FOR: Final = timedelta(minutes=2)
_RENEWED_AFTER: Final = timedelta(seconds=20)

# Starting and ending an export writes, in a request's thread: fail instead of waiting
# longer for the write lock.
_LOCK_TIMEOUT_SECONDS: Final = 2.0

Record = (
    User
    | Participant
    | Block
    | InviteCode
    | MessageProjection
    | MessageHistory
    | LookProjection
)


class Export:
    """A running export, which holds the user's lease."""

    def __init__(self, user_id: UserId, holder: str) -> None:
        self.user_id = user_id
        self._holder = holder
        self._renewed_at = timezone.now()

    def records(self) -> Iterator[Record]:
        return export_account(user_id=self.user_id)

    def goes_on(self) -> bool:
        """Renew the lease when due; return whether it is still held."""
        now = timezone.now()
        if now - self._renewed_at < _RENEWED_AFTER:
            return True
        try:
            with lock_timeout(0):
                held = self._lease().update(expires_at=now + LEASED_FOR)
        except OperationalError:
            # A writer holds the lock: try again after the next page. Until then the old
            # lease is valid.
            return now - self._renewed_at < LEASED_FOR
        self._renewed_at = now
        return held > 0

    def end(self) -> None:
        """Release the lease, so that the user can start another export; idempotent."""
        try:
            with lock_timeout(_LOCK_TIMEOUT_SECONDS):
                self._lease().delete()
        except DatabaseError as error:
            logger.warning("an export's lease stays until it expires: %s", error)

    def _lease(self) -> QuerySet[ExportLease]:
        return ExportLease.objects.filter(user=self.user_id, holder=self._holder)


def begin_export(*, user_id: UserId) -> Export:
    """Acquire the lease for an export; `Export.end()` releases it.

    Raises:
        ExportRunningError: another export of the user holds the lease.
        RateLimitedError
    """
    now, holder = timezone.now(), secrets.token_hex(16)
    # Refuse by a query first, which does not wait for the write lock.
    if ExportLease.objects.filter(user=user_id, expires_at__gte=now).exists():
        raise _running()
    with lock_timeout(_LOCK_TIMEOUT_SECONDS), spend_quota("exports", user_id=user_id):
        if not _claim(user_id, holder, now):
            raise _running()
    return Export(user_id, holder)


def clear_expired_exports() -> int:
    """Delete the leases of killed processes; return their number."""
    return ExportLease.objects.filter(expires_at__lt=timezone.now()).delete()[0]


def export_account(*, user_id: UserId) -> Iterator[Record]:
    """The records of an export, in the order of `SECTIONS`.

    These are the user, their blocks, their conversations, their invitations, the
    messages they sent, each followed by its earlier versions (oldest first), the
    messages they received, and the looks of staff that they are told of.
    Rows that are written while the export runs may be missing. If the account is
    deleted meanwhile, the records end.
    """
    for section in SECTIONS:
        yield from section(user_id)


def _claim(user_id: UserId, holder: str, now: datetime) -> bool:
    """Acquire the lease unless a valid one exists; atomic: of two callers only one succeeds."""
    # SQL by hand: the ORM's upsert takes no condition.
    claimed = execute(
        "INSERT INTO messaging_exportlease (user_id, holder, expires_at)"
        " VALUES (%s, %s, %s) ON CONFLICT (user_id) DO UPDATE"
        " SET holder = excluded.holder, expires_at = excluded.expires_at"
        " WHERE messaging_exportlease.expires_at < %s",
        [user_id, holder, now + LEASED_FOR, now],
    )
    return claimed == 1


def _running() -> ExportRunningError:
    return ExportRunningError("An export of yours is under way; wait for its end.")


def _profile(user_id: UserId) -> Iterator[Record]:
    yield from User.objects.filter(pk=user_id).select_related("last_seen")


def _conversations(user_id: UserId) -> Iterator[Record]:
    participants = Participant.objects.filter(user=user_id).select_related(
        "conversation__low_user", "conversation__high_user"
    )
    last = 0
    while page := list(participants.filter(pk__gt=last).order_by("pk")[:PAGE_SIZE]):
        yield from page
        last = page[-1].pk


def _blocks(user_id: UserId) -> Iterator[Record]:
    blocks = (
        Block.objects.filter(blocker=user_id)
        .select_related("blocked")
        .only("created_at", *UserProjection.columns("blocked"))
    )
    last = 0
    while page := list(blocks.filter(pk__gt=last).order_by("pk")[:PAGE_SIZE]):
        yield from page
        last = page[-1].pk


def _invitations(user_id: UserId) -> Iterator[Record]:
    invitations = InviteCode.objects.filter(created_by=user_id)
    last = 0
    while page := list(invitations.filter(pk__gt=last).order_by("pk")[:PAGE_SIZE]):
        yield from page
        last = page[-1].pk


def _sent(user_id: UserId) -> Iterator[Record]:
    for page in _pages(Message.objects.filter(sender=user_id)):
        versions = _kept_versions(page)
        kept = next(versions, None)
        for message in page:
            yield message
            while kept is not None and kept.message_id == message.pk:
                # If the message was edited after it was read, the content read is also
                # a stored version: skip that version.
                if kept.version < message.version:
                    yield kept
                kept = next(versions, None)


def _received(user_id: UserId) -> Iterator[Record]:
    for page in _pages(Message.objects.filter(receiver=user_id)):
        yield from page


def _pages(messages: MessageQuerySet) -> Iterator[list[MessageProjection]]:
    rows = messages.order_by("pk").values_list(*MessageProjection.columns())
    last = 0
    while page := MessageProjection.from_rows(rows.filter(pk__gt=last)[:PAGE_SIZE]):
        yield page
        last = page[-1].id


def _kept_versions(messages: list[MessageProjection]) -> Iterator[MessageHistory]:
    """The earlier versions of these messages, in the messages' order.

    They are read page by page as well, since one message may have any number of
    versions.
    """
    edited = [message.pk for message in messages if message.edited]
    versions = MessageHistory.objects.filter(message__in=edited)
    after = Q()
    while page := list(
        versions.filter(after).order_by("message", "version")[:PAGE_SIZE]
    ):
        yield from page
        last = page[-1]
        after = Q(message__gt=last.message_id) | Q(
            message=last.message_id, version__gt=last.version
        )


def _looks(user_id: UserId) -> Iterator[Record]:
    rows = (
        LookNotice.objects.of(user_id)
        .order_by("look")
        .values_list(*LookProjection.columns())
    )
    last = 0
    while page := LookProjection.from_rows(rows.filter(look__gt=last)[:PAGE_SIZE]):
        yield from page
        last = page[-1].id


# In the order of the export.
SECTIONS: Final[tuple[Callable[[UserId], Iterator[Record]], ...]] = (
    _profile,
    _blocks,
    _conversations,
    _invitations,
    _sent,
    _received,
    _looks,
)
