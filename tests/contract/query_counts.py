"""Which queries each operation that reads makes, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WHO: Final = "the token with its person"
MESSAGE: Final = "the message with its people, if its reader takes part"
MEMBERSHIP: Final = "the reader's membership, with the conversation"
KNOWN: Final = (
    "what all see alike of the conversations, unless it is known by its version"
)


@dataclass(frozen=True, slots=True)
class Read:
    """A request of a row: `{…}` names an id of the sample data."""

    path: str
    queries: Sequence[str]


LOG: Final = "how far the log reaches"
BACKLOG: Final = (
    "how far it reaches",
    "where in it something may concern the reader",
    "whether any of that was forgotten",
)
ENDED: Final = "whether the token is still valid"


ROWS: Final[dict[str, list[Read]]] = {
    "auth_list_tokens": [Read("/auth/tokens?limit=200", [WHO, "the page of tokens"])],
    "me_get": [Read("/me", [WHO])],
    "me_preview_deletion": [
        Read(
            "/me/deletion",
            [
                WHO,
                "own messages in groups that survivors hang from",
                "direct conversations",
                "messages in them",
                "own messages in groups",
                "groups",
                "groups without anyone else",
                "groups owned",
                "tokens",
                "looks of staff",
                "invitations made",
            ],
        )
    ],
    "me_export": [
        Read(
            "/me/export",
            [
                WHO,
                "whether another export is under way",
                "the lease of this one",
                "the profile",
                "a page of blocks with their people",
                "no more blocks",
                "a page of participants with their conversations and people",
                "no more participants",
                "a page of invitations",
                "no more invitations",
                "a page of sent messages with their people",
                "a page of what those said before",
                "no more of that",
                "no more sent messages",
                "no direct messages received",
                "a page of looks with who looked",
                "no more looks",
                "whether the token is still valid",
                "the end of the lease",
            ],
        )
    ],
    "looks_list": [
        Read("/me/looks?limit=200", [WHO, "the page of looks with who looked"])
    ],
    "invitations_list": [
        Read(
            "/conversations/{conversation}/invitations?limit=200",
            [WHO, MEMBERSHIP, "the page of invitations with who made them"],
        )
    ],
    "invitations_get": [
        Read(
            "/invitations/{code}",
            [
                "the invitation with its group",
                "whether it can be used",
                "how many take part",
            ],
        )
    ],
    "blocks_list": [
        Read("/blocks?limit=200", [WHO, "the page of blocks with their people"])
    ],
    "users_search": [
        *(
            Read(
                f"/users?query={typed}&limit=200",
                [
                    WHO,
                    "those who have a word that begins so",
                    "those who have it within a name",
                    "whether there are more accounts",
                ],
            )
            for typed in ("person", "erson")
        ),
    ],
    "conversations_list": [
        Read(
            "/conversations?limit=200",
            [
                WHO,
                "the page of participants with their counts, and their pages' versions",
                KNOWN,
                "the last messages with their people, all at once",
            ],
        )
    ],
    "conversations_get": [
        Read(
            "/conversations/{conversation}",
            [
                WHO,
                MEMBERSHIP,
                "the same with the counts of the list, and the page's version",
                KNOWN,
                "the last message with its people",
            ],
        )
    ],
    "participants_list": [
        Read(
            "/conversations/{conversation}/participants?limit=200",
            [
                WHO,
                MEMBERSHIP,
                "the page of participants with their people",
                "blocks between them and the reader",
                "their presence",
            ],
        )
    ],
    "messages_list": [
        Read(
            "/conversations/{conversation}/messages?limit=200",
            [WHO, "membership, version and epoch", "the page with its people"],
        ),
        Read(
            "/conversations/{conversation}/messages?limit=200",
            [WHO, "membership, version and epoch: the page comes from the cache"],
        ),
        Read(
            "/conversations/{conversation}/messages?limit=200&after_sequence=1",
            [WHO, "membership, version and epoch", "the page with its people"],
        ),
        Read(
            "/conversations/{conversation}/messages?limit=200&around={message}",
            [
                WHO,
                "membership, version and epoch",
                "the message in the middle",
                "the newer half",
                "the older half",
            ],
        ),
    ],
    "messages_get": [Read("/messages/{message}", [WHO, MESSAGE])],
    "threads_get": [
        Read(
            "/messages/{message}/thread",
            [WHO, MESSAGE, "the tree with its messages and their people"],
        ),
        Read(
            "/messages/{message}/thread?nodes=1",
            [
                WHO,
                MESSAGE,
                "as many as are asked for: the tree has more",
                "the shape of the tree",
                "the messages shown",
            ],
        ),
    ],
    "threads_list_replies": [
        Read(
            "/messages/{message}/replies?limit=200",
            [WHO, MESSAGE, "the shape of the tree", "the messages of the page"],
        )
    ],
    "messages_list_receipts": [
        Read(
            "/messages/{message}/receipts?limit=200",
            [
                WHO,
                MESSAGE,
                "the page of participants, and whether they were notified and have read",
            ],
        )
    ],
    "history_list": [
        # Its sender sees everything; others from their joining on.
        Read(
            "/messages/{own}/history?limit=200",
            [WHO, MESSAGE, "the page of versions with their editors"],
        ),
        Read(
            "/messages/{message}/history?limit=200",
            [
                WHO,
                MESSAGE,
                MEMBERSHIP,
                "the last version replaced before the reader came",
                "the page of versions with their editors",
            ],
        ),
    ],
    "events_stream": [
        Read("/events", [WHO, LOG, *BACKLOG, ENDED]),
    ],
    "events_poll": [
        Read(
            "/events/poll?limit=200&after={beginning}",
            [
                WHO,
                LOG,
                *BACKLOG[:2],
                "these events with whom they are about",
                BACKLOG[2],
                "where the reader takes part, and since when",
                "the messages with their people",
                "the reader's notifications of them",
                "the counts of the conversations, and their pages' versions",
                KNOWN,
                "the last messages with their people, all at once",
                ENDED,
            ],
        ),
    ],
    "inbox_list": [
        Read("/inbox?limit=200", [WHO, "the clock", "the page with its people"])
    ],
    "inbox_summary": [
        Read("/inbox/summary", [WHO, "the clock and the counts, of one moment"])
    ],
    "catch_up_list": [
        Read(
            "/me/catch-up?limit=200",
            [
                WHO,
                "how much of each kind waits in each conversation",
                "which of these are muted, and which are direct",
                "the oldest messages of the page's conversations, with their people",
                "the messages above them, up to the roots of their threads",
                "the roots that are not among them, with their people",
                "the counts of the conversations, and their pages' versions",
                KNOWN,
                "the last messages with their people, all at once",
            ],
        )
    ],
    "notifications_list": [
        Read(
            "/notifications?limit=200",
            [WHO, "the page of notifications with their messages and people"],
        )
    ],
}
