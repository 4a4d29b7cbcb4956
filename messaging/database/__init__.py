"""Access to the database: which way is right when.

| way | when |
|---|---|
| a queryset | Always, unless a line below says otherwise. Conversations and what is of them, events and the installation are written by a `Change` of `messaging.changes`. |
| `CompiledQuery` | What most requests ask: authentication, access, pages, trees, inbox, counts. Composing and compiling a queryset takes ten times as long as running what was compiled. |
| `CompiledUpdate`, `insert_rows()` (SQLite), `insert_linked()` (PostgreSQL) | What every message writes, while others wait. In `database.writes` and `database.inserts`, for `messaging.changes` alone: see decision 0025. |
| `erase_rows()` | Deleting what nothing else refers to any more: one statement, no signals, no cascades. Otherwise `delete()`. |
| `erase_in_batches()` | The same for rows without a bound, outside of transactions; see decision 0012. |
| `number_of()` | Counting the rows of a subquery, which `Count` would group. |
| `number_up_to()` | The same where no more than some are shown, so that no more are read. |
| `joined()` | The numbers of a subquery's rows, in the statement that counts them. |
| `OnTimeline()` | The epoch, wherever it is read: a failover is another epoch. See decision 0045. |
| `execute()`, `fetch_all()` | SQL by hand, where the ORM has no expression: `RETURNING`, `ON CONFLICT … WHERE`, a recursive walk, `VACUUM`. |

Nothing else in `messaging`, `api` and `chats` takes a cursor or calls `_raw_delete()`, except
for the few files that `tests/messaging/test_database_ways.py` names: they use other
databases than Django's, or the connection itself. See decision 0014.
"""

from messaging.database.compiled import CompiledQuery
from messaging.database.expressions import OnTimeline, joined, number_of, number_up_to
from messaging.database.rows import BATCH_SIZE, batches, erase_in_batches, erase_rows
from messaging.database.sql import execute, fetch_all

__all__ = [
    "BATCH_SIZE",
    "CompiledQuery",
    "OnTimeline",
    "batches",
    "erase_in_batches",
    "erase_rows",
    "execute",
    "fetch_all",
    "joined",
    "number_of",
    "number_up_to",
]
