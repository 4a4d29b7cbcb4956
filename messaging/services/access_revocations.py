"""Events that tell server processes that credentials of a user were revoked.

Each process with open event streams reads them in the log. An event names the user, not
the credential: the process asks the database which of the user's streams may stay open.
"""

from messaging.changes import open_change
from messaging.ids import UserId
from messaging.models import Event, User
from messaging.models.events import EventType


def record_access_ended(*, user_id: UserId) -> None:
    """Record that a token, session, password or account of a user is not valid any more.

    It joins the change that revokes it.
    """
    with open_change() as change:
        change.record(access_ended(user_id))


def record_changed_access(*, user: User) -> None:
    """Record if saving an account changes its password, suspends or reactivates it.

    For `pre_save`, which every change of an account sends, except `QuerySet.update()`.
    """
    saved = {"password": user.password, "is_active": user.is_active}
    with open_change() as change:
        stored = change.locked(User.objects.filter(pk=user.pk))
        if stored.exclude(**saved):
            change.record(access_ended(UserId(user.pk)))


def access_ended(user_id: UserId | None) -> Event:
    """The event; it has no user if the account was deleted."""
    return Event(type=EventType.ACCESS_ENDED, recipient_id=user_id)
