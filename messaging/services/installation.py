"""The one row about the whole database: its epoch, the logical clock of its writes, what
pages call it, and which secret key its nodes have. `setup` uses its `setup_key`.
"""

import secrets

from django.apps.registry import Apps
from django.conf import settings
from django.db.models import Exists, QuerySet
from django.utils.crypto import salted_hmac

from messaging.access import Superuser, superuser
from messaging.changes import open_change
from messaging.changes.numbering import number_events
from messaging.database import CompiledQuery
from messaging.ids import Position
from messaging.models import Event, Installation, User
from messaging.text import clean_server_name


def ensure_installation(*, apps: Apps) -> None:
    """Create the row unless it exists.

    `apps` must be the migration's: its historical model fits the table at that time.
    """
    model = apps.get_model("messaging", "Installation")
    only = model(pk=Installation.ONLY_ID, epoch=_random_epoch())
    # Past the guard: there is no clock yet by which a change could end.
    rows: QuerySet[Installation] = QuerySet(model)
    rows.bulk_create([only], ignore_conflicts=True)


def renew_epoch() -> None:
    """Invalidate all cached pages and all cursors of events, on servers and in clients.

    Cache keys, ETags and cursors contain the epoch. After a restore this is needed,
    since versions of pages are used again for other content. A copy may be another
    installation, with another secret key: the next node that starts brings it.
    """
    with open_change() as change:
        change.update(
            Installation.objects.all(),
            epoch=_random_epoch(),
            secret_key_fingerprint="",
        )


def adopt_secret_key() -> bool:
    """Make this node's secret key that of all nodes; False if they have another one.

    It becomes theirs if there is none yet, or if theirs is one of this node's fallbacks.
    """
    own = _fingerprint(settings.SECRET_KEY)
    if _stored_fingerprint() == own:
        return True
    replaced = Installation.objects.filter(
        secret_key_fingerprint__in=["", *_fallback_fingerprints()]
    )
    with open_change() as change:
        change.update(replaced, secret_key_fingerprint=own)
    # Another node may have been faster, with the same key or not.
    return _stored_fingerprint() == own


def secret_key_is_known() -> bool:
    """Whether this node could start: see `adopt_secret_key`."""
    own = _fingerprint(settings.SECRET_KEY)
    return _stored_fingerprint() in {"", own, *_fallback_fingerprints()}


def _stored_fingerprint() -> str:
    return Installation.objects.values_list("secret_key_fingerprint", flat=True).get()


def _fallback_fingerprints() -> list[str]:
    return [_fingerprint(key) for key in settings.SECRET_KEY_FALLBACKS]


def _fingerprint(key: str) -> str:
    """Of a key that nobody can guess: from this, nobody finds it."""
    digest = salted_hmac("messaging.secret_key", "", secret=key, algorithm="sha256")
    # 128 bits are enough to tell keys apart.
    return digest.hexdigest()[:32]


@CompiledQuery
def _clock() -> QuerySet[Installation, tuple[int, bool]]:
    return Installation.objects.filter(pk=Installation.ONLY_ID).values_list(
        "clock", Exists(Event.objects.waiting())
    )


def read_clock() -> Position:
    """The position of the last committed event; those without a number get one."""
    ((clock, are_waiting),) = _clock.all()
    if are_waiting:
        number_events()
        ((clock, _),) = _clock.all()
    return Position(clock)


def rename_server(*, by: Superuser, server_name: str) -> None:
    """Set what pages call this installation.

    Raises:
        InvalidServerNameError
        RightsRequiredError: no superuser any more.
        UserNotFoundError: the account was deleted just now.
    """
    name = clean_server_name(server_name)
    with open_change() as change:
        change.lock_users({by.pk})
        superuser(user=User.objects.get(pk=by.pk))
        change.update(Installation.objects.all(), server_name=name)


@CompiledQuery
def _server_name() -> QuerySet[Installation, tuple[str]]:
    return Installation.objects.filter(pk=Installation.ONLY_ID).values_list(
        "server_name"
    )


def server_name() -> str:
    """What pages call this installation."""
    ((name,),) = _server_name.all()
    return shown_name(name)


def shown_name(name: str) -> str:
    """The stored name, or that of the software while there is none."""
    return name or "Parley"


def _random_epoch() -> str:
    return secrets.token_hex(16)
