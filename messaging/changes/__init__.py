"""The write protocol: every change of a conversation is made through a `Change`.

    with changing(conversation_id, by=user_id) as change:
        change.update(rows, title=title)
        change.renew(conversation_id)
        change.record(event)

A `Change` is the proof that the steps of a write are done in this order:

1. a transaction;
2. locks: conversations by ascending id, then accounts;
3. a second check that the writer is a participant, which nobody can change now;
4. the rows that the service writes;
5. for each page that has changed, one raised version;
6. the events, and the rows that carry their ids;
7. after the commit, the numbers of the events, a wake-up for the processes that wait for
   them, and the signal `erased`.

Steps 5 to 7 happen at the end of the outermost `with`, if it succeeds. A change that is
opened within another one, as signal receivers do, joins it. `Message.save()`,
`User.save()` and `User.delete()` open a change themselves. See decision 0025.
"""

from messaging.changes.change import Change
from messaging.changes.context_managers import (
    changing,
    changing_account,
    changing_all,
    changing_as_owner,
    changing_conversation_of,
    open_change,
)
from messaging.changes.log import next_event_id
from messaging.changes.wakeup import finish_numbering

__all__ = [
    "Change",
    "changing",
    "changing_account",
    "changing_all",
    "changing_as_owner",
    "changing_conversation_of",
    "finish_numbering",
    "next_event_id",
    "open_change",
]
