"""Whether a PostgreSQL transaction may still see rows that were deleted.

A VACUUM keeps such rows. It looks at the snapshots of its own database alone, but each
of those goes back to the oldest transaction that writes anywhere in the cluster: a long
one in another database holds rows here, through whoever reads at the moment.
"""

import time
from typing import Final

from messaging.database import fetch_all

_LOOK_EVERY_SECONDS: Final = 0.2

# The id of the next transaction: it and later ones cannot see rows deleted until now.
_HORIZON: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::xid::text"
# Of other databases only what writes counts, and of replication all that is fed back.
_SEEN: Final = """\
WITH horizon AS (SELECT age(%s::text::xid) AS age)
SELECT age(pg_snapshot_xmin(pg_current_snapshot())::xid) > horizon.age
OR EXISTS (
    SELECT FROM pg_stat_activity
    WHERE (datname = current_database() OR backend_type = 'walsender')
    AND pid <> pg_backend_pid() AND age(backend_xmin) > horizon.age
)
OR EXISTS (SELECT FROM pg_replication_slots WHERE age(xmin) > horizon.age)
FROM horizon"""


def visibility_horizon() -> str:
    """The id of the first transaction that sees none of the rows deleted until now."""
    [(horizon,)] = fetch_all(_HORIZON)
    return str(horizon)


def may_be_seen(*, before: str) -> bool:
    """Whether a transaction may see rows that were deleted before this horizon."""
    [(seen,)] = fetch_all(_SEEN, (before,))
    return bool(seen)


def await_unseen(*, seconds: float) -> bool:
    """Wait until nobody may see the rows deleted until now; whether that was reached."""
    horizon = visibility_horizon()
    deadline = time.monotonic() + seconds
    while may_be_seen(before=horizon):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True
