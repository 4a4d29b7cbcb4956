"""Checked lines on their way into the database, in a temporary one on disk.

Lines of different conversations may be mixed in a file of any size. Here they
are taken up in the file's order, and given back conversation by conversation,
while nothing but SQLite's page cache is held in memory.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from messaging.cursors import moment_number, numbered_moment
from messaging.ids import MAX_ID, MessageId, UserId
from messaging.interchange.errors import LISTED_LINES, BadLineError, BadLines
from messaging.interchange.lines import Line
from messaging.interchange.usernames import is_username

_SCHEMA: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE conversation (
    number INTEGER PRIMARY KEY,  -- in the order of their first lines
    name TEXT NOT NULL UNIQUE,
    stored INTEGER NOT NULL  -- imported before
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
    reply_count INTEGER NOT NULL DEFAULT 0,
    message_id INTEGER
);
CREATE TABLE numbered_username (username TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE bad_line (number INTEGER PRIMARY KEY, reason TEXT NOT NULL);
"""

# Once for all lines, not with each. Their numbers come along in any index.
_INDEXES: Final = (
    "CREATE INDEX line_conversation ON line (conversation)",
    "CREATE INDEX line_tombstone ON line (person) WHERE person IS NULL",
)

_NEW_CONVERSATIONS: Final = """
SELECT conversation.number, name, min(moment), max(moment), count(*)
FROM conversation JOIN line ON conversation = conversation.number
WHERE NOT stored GROUP BY conversation.number ORDER BY conversation.number
"""
_TALLY: Final = """
SELECT count(DISTINCT conversation), count(*)
FROM conversation JOIN line ON conversation = conversation.number WHERE stored = ?
"""
_NICKNAMES: Final = """
SELECT nickname FROM line JOIN person ON person.number = person
WHERE conversation = ? AND user_id IS NULL GROUP BY person ORDER BY min(line.number)
"""
_SENDERS: Final = """
SELECT user_id FROM line JOIN person ON person.number = person
WHERE conversation = ? GROUP BY person ORDER BY min(line.number)
"""
_MESSAGES: Final = """
SELECT line.message_id, parent.message_id, line.id, user_id,
    line.moment, line.content, line.reply_count
FROM line
LEFT JOIN line AS parent ON parent.number = line.parent
LEFT JOIN person ON person.number = line.person
WHERE line.conversation = ? AND line.number BETWEEN ? AND ? ORDER BY line.number
"""


@dataclass(frozen=True, slots=True)
class StagedConversation:
    number: int
    name: str
    begun_at: datetime
    last_activity_at: datetime
    message_count: int


@dataclass(frozen=True, slots=True)
class StagedMessage:
    message_id: MessageId
    parent_id: MessageId | None
    external_id: str
    sender_id: UserId | None
    timestamp: datetime
    content: str
    reply_count: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How much there is of what."""

    conversations: int
    messages: int


@contextmanager
def staging_area() -> Iterator["Staging"]:
    # An empty name is SQLite's for a file without one, gone however this ends.
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.executescript(_SCHEMA)
        database.execute("BEGIN")
        yield Staging(database)


class Staging:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, number: int, line: Line, *, stored: bool) -> None:
        """Take up a line; `stored` says that its conversation was imported before.

        Raises:
            BadLineError: its id was used in the file, or its parent is not an
                earlier message of its conversation.
        """
        if earlier := self._number("SELECT number FROM line WHERE id = ?", line.id):
            raise BadLineError(f"has the id of line {earlier:,}: {line.id!r}")
        conversation = self._conversation(line.conversation, stored=stored)
        parent = self._parent(line, conversation=conversation)
        person = None if line.sender is None else self._person(line.sender)
        self._database.execute(
            "INSERT INTO line (number, id, conversation, person, moment, content, parent)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                line.id,
                conversation,
                person,
                moment_number(line.timestamp),
                line.content,
                parent,
            ),
        )
        self._count_reply(parent, +1)

    def leave_out(self, number: int, reason: str) -> None:
        self._database.execute(
            "INSERT INTO bad_line (number, reason) VALUES (?, ?)", (number, reason)
        )

    def complete(self) -> None:
        """End taking up lines: now it shows which tombstones nobody replies to."""
        for index in _INDEXES:
            self._database.execute(index)
        number = self._tombstone_before(MAX_ID)
        # From the last to the first, so that one going takes those above along.
        while number is not None:
            self._drop_if_needless(number)
            number = self._tombstone_before(number)

    def bad_lines(self) -> BadLines:
        """The lines left out."""
        rows: Iterable[tuple[int, str]] = self._database.execute(
            "SELECT number, reason FROM bad_line ORDER BY number LIMIT ?",
            (LISTED_LINES,),
        )
        return BadLines(
            count=self._number("SELECT count(*) FROM bad_line") or 0,
            first=[f"line {number:,} {reason}" for number, reason in rows],
        )

    def tally(self, *, stored: bool) -> Tally:
        """What the good lines hold, of conversations imported before or of new ones."""
        conversations, messages = self._database.execute(_TALLY, (stored,)).fetchone()
        return Tally(conversations=conversations, messages=messages)

    def new_conversations(self) -> Iterator[StagedConversation]:
        """Those to import, in the order of their first lines."""
        rows: Iterable[tuple[int, str, int, int, int]] = self._database.execute(
            _NEW_CONVERSATIONS
        )
        for number, name, first, last, count in rows:
            yield StagedConversation(
                number, name, numbered_moment(first), numbered_moment(last), count
            )

    def nicknames(self, conversation: StagedConversation) -> Iterator[str]:
        """Who sent something there and is not identified yet, first come first."""
        rows: Iterable[tuple[str]] = self._database.execute(
            _NICKNAMES, (conversation.number,)
        )
        return (nickname for (nickname,) in rows)

    def identify(self, users: Mapping[str, UserId]) -> None:
        """Note whose account each nickname stands for."""
        self._database.executemany(
            "UPDATE person SET user_id = ? WHERE nickname = ?",
            ((user_id, nickname) for nickname, user_id in users.items()),
        )

    def claimant(self, username: str) -> str | None:
        """Who in the file is called just as this username, in whatever case."""
        row: tuple[str] | None = self._database.execute(
            "SELECT nickname FROM person WHERE username_key = ? ORDER BY number LIMIT 1",
            (username.lower(),),
        ).fetchone()
        return row[0] if row else None

    def last_number(self, username: str) -> int:
        """The last of bob-2, bob-3 … that was given out, 1 if none was yet."""
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

    def senders(self, conversation: StagedConversation) -> Iterator[UserId]:
        """Everybody who sent something there, first come first."""
        rows: Iterable[tuple[UserId]] = self._database.execute(
            _SENDERS, (conversation.number,)
        )
        return (user_id for (user_id,) in rows)

    def line_numbers(self, conversation: StagedConversation) -> Iterator[int]:
        rows: Iterable[tuple[int]] = self._database.execute(
            "SELECT number FROM line WHERE conversation = ? ORDER BY number",
            (conversation.number,),
        )
        return (number for (number,) in rows)

    def assign(self, ids: Iterable[MessageId], numbers: Iterable[int]) -> None:
        """Note under which id the message of each line is going to be stored."""
        self._database.executemany(
            "UPDATE line SET message_id = ? WHERE number = ?",
            zip(ids, numbers, strict=True),
        )

    def messages(
        self, conversation: StagedConversation, numbers: Sequence[int]
    ) -> Iterator[StagedMessage]:
        """The messages of a run of lines, whose ids and whose parents' are assigned."""
        rows: Iterable[
            tuple[MessageId, MessageId | None, str, UserId | None, int, str, int]
        ] = self._database.execute(
            _MESSAGES, (conversation.number, numbers[0], numbers[-1])
        )
        for message, parent, external_id, sender, moment, content, replies in rows:
            yield StagedMessage(
                message,
                parent,
                external_id,
                sender,
                numbered_moment(moment),
                content,
                replies,
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

    def _parent(self, line: Line, *, conversation: int) -> int | None:
        if line.parent_message is None:
            return None
        parent = self._number(
            "SELECT number FROM line WHERE id = ? AND conversation = ?",
            line.parent_message,
            conversation,
        )
        if parent is None:
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
            "SELECT max(number) FROM line WHERE person IS NULL AND number < ?", number
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
