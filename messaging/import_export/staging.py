"""A staging area for the checked lines of an import: a temporary SQLite database on disk.

Lines of different conversations may be mixed in a file of any size. They are staged in
the order of the file and read back conversation by conversation, while only SQLite's
page cache is in memory.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from messaging.cursors import moment_number, numbered_moment
from messaging.ids import MAX_ID, MessageId, UserId
from messaging.import_export.errors import LISTED_LINES, BadLineError, BadLines
from messaging.import_export.lines import Line
from messaging.import_export.usernames import is_username

_SCHEMA: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE conversation (
    number INTEGER PRIMARY KEY,  -- in the order of their first lines
    name TEXT NOT NULL UNIQUE,
    stored INTEGER NOT NULL  -- in the database
);
CREATE TABLE person (
    number INTEGER PRIMARY KEY,
    nickname TEXT NOT NULL UNIQUE,
    username_key TEXT,  -- what the nickname would take, if it is a username
    user_id INTEGER
);
CREATE INDEX person_username ON person (username_key, number);
CREATE TABLE line (
    number INTEGER PRIMARY KEY,  -- in the file
    id TEXT NOT NULL UNIQUE,
    conversation INTEGER NOT NULL,
    person INTEGER,  -- null in a tombstone
    moment INTEGER NOT NULL,
    content TEXT NOT NULL,
    parent INTEGER,
    stored_parent INTEGER,  -- the id of one that is in the database alone
    reply_count INTEGER NOT NULL DEFAULT 0,
    there INTEGER NOT NULL,  -- imported before
    message_id INTEGER  -- unless it was deleted since
);
CREATE TABLE note (kind TEXT NOT NULL, number INTEGER NOT NULL);
CREATE INDEX note_kind ON note (kind, number);
CREATE TABLE numbered_username (username TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE bad_line (number INTEGER PRIMARY KEY, reason TEXT NOT NULL);
"""

# Built once, after all lines are inserted. SQLite adds the primary key, the line's
# number, to each index.
_INDEXES: Final = (
    "CREATE INDEX line_conversation ON line (conversation)",
    "CREATE INDEX line_tombstone ON line (person) WHERE person IS NULL",
)

_CONVERSATIONS: Final = """
SELECT conversation.number, name, min(moment)
FROM conversation JOIN line ON conversation = conversation.number
WHERE NOT there GROUP BY conversation.number ORDER BY conversation.number
"""
_TALLY: Final = """
SELECT count(DISTINCT conversation), count(*)
FROM conversation JOIN line ON conversation = conversation.number WHERE there = ?
"""
_NICKNAMES: Final = """
SELECT nickname FROM line JOIN person ON person.number = person
WHERE conversation = ? AND line.number BETWEEN ? AND ? AND NOT there AND user_id IS NULL
GROUP BY person ORDER BY min(line.number)
"""
_MESSAGES: Final = """
SELECT line.number, line.parent, coalesce(line.stored_parent, parent.message_id), line.id, user_id,
    line.moment, line.content
FROM line
LEFT JOIN line AS parent ON parent.number = line.parent
LEFT JOIN person ON person.number = line.person
WHERE line.conversation = ? AND line.number BETWEEN ? AND ? AND NOT line.there
ORDER BY line.number
"""


@dataclass(frozen=True, slots=True)
class StagedConversation:
    number: int
    name: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class StagedMessage:
    """A message to write. `parent_id` is None until the parent is written."""

    number: int
    parent_number: int | None
    parent_id: MessageId | None
    external_id: str
    sender_id: UserId | None
    timestamp: datetime
    content: str


class Note(StrEnum):
    """A property of a valid line that the operator should know of."""

    DIFFERS = "differs"
    FUTURE = "future"
    PARENT_DELETED = "parent deleted"


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that was imported before; `message_id` is None if it was deleted since."""

    message_id: MessageId | None


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of conversations and messages."""

    conversations: int
    messages: int


@contextmanager
def staging_area() -> Iterator["Staging"]:
    # With an empty name, SQLite uses an unnamed temporary file, which it removes in any
    # case.
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.executescript(_SCHEMA)
        database.execute("BEGIN")
        yield Staging(database)


class Staging:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(
        self,
        number: int,
        line: Line,
        *,
        stored: bool,
        there: Stored | None,
        parent_there: Stored | None,
    ) -> None:
        """Stage a line. `stored`: its conversation is in the database.

        `there` is the message that an earlier import made of the line, if any;
        `parent_there` is that of its parent.

        Raises:
            BadLineError: an earlier line has the same id, or the parent is not an
                earlier message of the same conversation.
        """
        if earlier := self._number("SELECT number FROM line WHERE id = ?", line.id):
            raise BadLineError(f"has the id of line {earlier:,}: {line.id!r}")
        conversation = self._conversation(line.conversation, stored=stored)
        parent = self._parent(line, conversation, known=parent_there is not None)
        person = None if line.sender is None else self._person(line.sender)
        self._database.execute(
            "INSERT INTO line (number, id, conversation, person, moment, content, parent,"
            " stored_parent, there, message_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                line.id,
                conversation,
                person,
                moment_number(line.timestamp),
                line.content,
                parent,
                parent_there.message_id if parent_there and parent is None else None,
                there is not None,
                there.message_id if there else None,
            ),
        )
        self._count_reply(parent, +1)
        if there is None and parent_there == Stored(None):
            self.note(Note.PARENT_DELETED, number)

    def leave_out(self, number: int, reason: str) -> None:
        self._database.execute(
            "INSERT INTO bad_line (number, reason) VALUES (?, ?)", (number, reason)
        )

    def note(self, kind: Note, number: int) -> None:
        self._database.execute("INSERT INTO note VALUES (?, ?)", (kind, number))

    def noted(self, kind: Note) -> BadLines:
        """The number of lines with this note, and the first of them."""
        rows: Iterable[tuple[int]] = self._database.execute(
            "SELECT number FROM note WHERE kind = ? ORDER BY number LIMIT ?",
            (kind, LISTED_LINES),
        )
        return BadLines(
            count=self._number("SELECT count(*) FROM note WHERE kind = ?", kind) or 0,
            first=[f"line {number:,}" for (number,) in rows],
        )

    def complete(self) -> None:
        """End staging: drop tombstones without replies, which only now are known to have none."""
        for index in _INDEXES:
            self._database.execute(index)
        number = self._tombstone_before(MAX_ID)
        # From the last to the first: after a tombstone is dropped, the one above it may
        # be needless, too.
        while number is not None:
            self._drop_if_needless(number)
            number = self._tombstone_before(number)

    def bad_lines(self) -> BadLines:
        """The lines that were left out, with reasons."""
        rows: Iterable[tuple[int, str]] = self._database.execute(
            "SELECT number, reason FROM bad_line ORDER BY number LIMIT ?",
            (LISTED_LINES,),
        )
        return BadLines(
            count=self._number("SELECT count(*) FROM bad_line") or 0,
            first=[f"line {number:,} {reason}" for number, reason in rows],
        )

    def tally(self, *, there: bool) -> Tally:
        """Count the good lines that were imported before (`there`), or that are new."""
        conversations, messages = self._database.execute(_TALLY, (there,)).fetchone()
        return Tally(conversations=conversations, messages=messages)

    def conversations(self) -> Iterator[StagedConversation]:
        """The conversations with new messages, in the order of their first lines."""
        rows: Iterable[tuple[int, str, int]] = self._database.execute(_CONVERSATIONS)
        for number, name, first in rows:
            yield StagedConversation(number, name, numbered_moment(first))

    def nicknames(
        self, conversation: StagedConversation, numbers: Sequence[int]
    ) -> Iterator[str]:
        """The senders of new lines in a range who have no account yet, in order."""
        rows: Iterable[tuple[str]] = self._database.execute(
            _NICKNAMES, (conversation.number, numbers[0], numbers[-1])
        )
        return (nickname for (nickname,) in rows)

    def identify(self, users: Mapping[str, UserId]) -> None:
        """Record the accounts of nicknames."""
        self._database.executemany(
            "UPDATE person SET user_id = ? WHERE nickname = ?",
            ((user_id, nickname) for nickname, user_id in users.items()),
        )

    def claimant(self, username: str) -> str | None:
        """The first nickname of the file that is this username, in any case."""
        row: tuple[str] | None = self._database.execute(
            "SELECT nickname FROM person WHERE username_key = ? ORDER BY number LIMIT 1",
            (username.lower(),),
        ).fetchone()
        return row[0] if row else None

    def last_number(self, username: str) -> int:
        """The last number used for bob-2, bob-3 …; 1 if there is none."""
        return (
            self._number(
                "SELECT number FROM numbered_username WHERE username = ?", username
            )
            or 1
        )

    def note_number(self, username: str, number: int) -> None:
        self._database.execute(
            "REPLACE INTO numbered_username (username, number) VALUES (?, ?)",
            (username, number),
        )

    def line_numbers(self, conversation: StagedConversation) -> Iterator[int]:
        rows: Iterable[tuple[int]] = self._database.execute(
            "SELECT number FROM line WHERE conversation = ? AND NOT there"
            " ORDER BY number",
            (conversation.number,),
        )
        return (number for (number,) in rows)

    def assign(self, ids: Iterable[MessageId], numbers: Iterable[int]) -> None:
        """Record the ids under which the messages of lines are stored."""
        self._database.executemany(
            "UPDATE line SET message_id = ? WHERE number = ?",
            zip(ids, numbers, strict=True),
        )

    def messages(
        self, conversation: StagedConversation, numbers: Sequence[int]
    ) -> Iterator[StagedMessage]:
        """The new messages of a range of lines; their senders must be identified."""
        rows: Iterable[
            tuple[int, int | None, MessageId | None, str, UserId | None, int, str]
        ] = self._database.execute(
            _MESSAGES, (conversation.number, numbers[0], numbers[-1])
        )
        for number, parent, parent_id, external_id, sender, moment, content in rows:
            yield StagedMessage(
                number,
                parent,
                parent_id,
                external_id,
                sender,
                numbered_moment(moment),
                content,
            )

    def _conversation(self, name: str, *, stored: bool) -> int:
        return self._number(
            "SELECT number FROM conversation WHERE name = ?", name
        ) or self._insert(
            "INSERT INTO conversation (name, stored) VALUES (?, ?)", name, stored
        )

    def _person(self, nickname: str) -> int:
        return self._number(
            "SELECT number FROM person WHERE nickname = ?", nickname
        ) or self._insert(
            "INSERT INTO person (nickname, username_key) VALUES (?, ?)",
            nickname,
            nickname.lower() if is_username(nickname) else None,
        )

    def _parent(self, line: Line, conversation: int, *, known: bool) -> int | None:
        if line.parent_message is None:
            return None
        parent = self._number(
            "SELECT number FROM line WHERE id = ? AND conversation = ?",
            line.parent_message,
            conversation,
        )
        if parent is None and not known:
            raise BadLineError(
                "replies to no earlier message of its conversation: "
                f"{line.parent_message!r}"
            )
        return parent

    def _count_reply(self, parent: int | None, change: int) -> None:
        self._database.execute(
            "UPDATE line SET reply_count = reply_count + ? WHERE number = ?",
            (change, parent),
        )

    def _tombstone_before(self, number: int) -> int | None:
        return self._number(
            "SELECT max(number) FROM line WHERE person IS NULL AND NOT there"
            " AND number < ?",
            number,
        )

    def _drop_if_needless(self, number: int) -> None:
        reply_count, parent = self._database.execute(
            "SELECT reply_count, parent FROM line WHERE number = ?", (number,)
        ).fetchone()
        if reply_count:
            return
        self._database.execute("DELETE FROM line WHERE number = ?", (number,))
        self._count_reply(parent, -1)
        self.leave_out(number, "has no sender, and no message replies to it")

    def _number(self, query: str, *parameters: str | int) -> int | None:
        row: tuple[int | None] | None = self._database.execute(
            query, parameters
        ).fetchone()
        return row[0] if row else None

    def _insert(self, statement: str, *parameters: str | int | None) -> int:
        number: int | None = self._database.execute(statement, parameters).lastrowid
        return number or 0
