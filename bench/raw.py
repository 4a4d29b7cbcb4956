"""The same operations without a framework: a database driver and orjson.

It checks the token and the membership, and writes the same rows as Parley, in one
transaction. It has no validation, limits, logs or cache.
"""

import hashlib
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol, cast
from urllib.parse import parse_qs

import orjson
import psycopg

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_URL: Final = os.environ["DATABASE_URL"]
_SQLITE: Final = _URL.startswith("sqlite")
_local = threading.local()

Row = Sequence[object]
Shown = dict[str, object]

_MESSAGE: Final = """
    SELECT m.id, m.conversation_id, m.sequence, m.content, m.timestamp, m.read, m.edited,
      m.content_version, m.parent_message_id, m.reply_count,
      s.id, s.username, s.display_name, r.id, r.username, r.display_name
    FROM messaging_message m
    LEFT JOIN messaging_user s ON s.id = m.sender_id
    LEFT JOIN messaging_user r ON r.id = m.receiver_id
"""


class _Cursor(Protocol):
    def fetchone(self) -> Row | None: ...
    def fetchall(self) -> Sequence[Row]: ...


class _Connection(Protocol):
    def execute(
        self, statement: str, parameters: Sequence[object] = ...
    ) -> _Cursor: ...


class _RefusedError(Exception):
    pass


def application(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    try:
        status, body = (
            "200 OK",
            orjson.dumps(_answer(environ), option=orjson.OPT_NAIVE_UTC),
        )
    except _RefusedError:
        status, body = "404 Not Found", b"{}"
    start_response(
        status,
        [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
    )
    return [body]


def _answer(environ: "WSGIEnvironment") -> object:
    place = (
        f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'].removeprefix('/api/v1')}"
    )
    for pattern, answer in _ROUTES:
        if found := pattern.fullmatch(place):
            number = int(found[1]) if found.groups() else 0
            return answer(_caller(environ), number, environ)
    raise _RefusedError


def _caller(environ: "WSGIEnvironment") -> int:
    secret = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    row = _execute(
        "SELECT u.id FROM messaging_accesstoken t JOIN messaging_user u ON u.id = t.user_id"
        " WHERE t.digest = ? AND u.is_active AND (t.expires_at IS NULL OR t.expires_at > ?)",
        hashlib.sha256(secret.encode()).hexdigest(),
        datetime.now(UTC),
    ).fetchone()
    if row is None:
        raise _RefusedError
    return int(str(row[0]))


def _page(caller: int, conversation: int, environ: "WSGIEnvironment") -> Shown:
    _require_part(caller, conversation)
    after = parse_qs(environ["QUERY_STRING"]).get("after_sequence")
    if after:
        rows = _execute(
            f"{_MESSAGE} WHERE m.conversation_id = ? AND m.sequence > ?"
            " ORDER BY m.sequence LIMIT 51",
            conversation,
            int(after[0]),
        ).fetchall()
    else:
        rows = _execute(
            f"{_MESSAGE} WHERE m.conversation_id = ? ORDER BY m.sequence DESC LIMIT 51",
            conversation,
        ).fetchall()
    return {"items": [_shown(row) for row in rows[:50]], "next_cursor": str(len(rows))}


def _thread(caller: int, message: int, environ: "WSGIEnvironment") -> Shown:
    rows = _execute(
        "WITH RECURSIVE tree(id, depth) AS (SELECT m.id, 0 FROM messaging_message m"
        " JOIN messaging_participant p ON p.conversation_id = m.conversation_id"
        " WHERE m.id = ? AND p.user_id = ? UNION ALL"
        " SELECT m.id, tree.depth + 1 FROM messaging_message m JOIN tree"
        f" ON m.parent_message_id = tree.id) {_MESSAGE}"
        " JOIN tree ON tree.id = m.id ORDER BY m.sequence",
        message,
        caller,
    ).fetchall()
    nodes: dict[object, Shown] = {}
    replies: dict[object, list[Shown]] = {}
    for row in rows:
        node = nodes[row[0]] = _shown(row)
        node["replies"] = replies[row[0]] = []
        if row[8] in replies:
            replies[row[8]].append(node)
    counts = dict.fromkeys(nodes, 0)
    for row in reversed(rows):
        nodes[row[0]]["descendant_count"] = counts[row[0]]
        if row[8] in counts:
            counts[row[8]] += counts[row[0]] + 1
    return nodes[message]


def _inbox(caller: int, number: int, environ: "WSGIEnvironment") -> Shown:
    clock = _execute("SELECT clock FROM messaging_installation").fetchone()
    rows = _execute(
        f"{_MESSAGE} JOIN messaging_notification n ON n.message_id = m.id"
        " WHERE n.user_id = ? AND NOT n.is_read ORDER BY n.message_id DESC LIMIT 51",
        caller,
    ).fetchall()
    return {"items": [_shown(row) for row in rows[:50]], "up_to": clock}


def _summary(caller: int, number: int, environ: "WSGIEnvironment") -> Shown:
    row = _execute(
        "SELECT COUNT(*), COUNT(CASE WHEN kind = 'mention' THEN 1 END),"
        " COUNT(DISTINCT conversation_id) FROM messaging_notification"
        " WHERE user_id = ? AND NOT is_read"
        " AND position <= (SELECT clock FROM messaging_installation)",
        caller,
    ).fetchone()
    unread, mentions, conversations = row or (0, 0, 0)
    return {"unread_count": unread, "mention_count": mentions, "in": conversations}


def _conversations(caller: int, number: int, environ: "WSGIEnvironment") -> Shown:
    rows = _execute(
        "SELECT c.id, c.kind, c.title, c.last_activity_at, p.role, p.muted,"
        " low.username, low.display_name, high.username, high.display_name,"
        " (SELECT COUNT(*) FROM messaging_participant e WHERE e.conversation_id = c.id),"
        " (SELECT COUNT(*) FROM messaging_notification n WHERE n.conversation_id = c.id"
        "   AND n.user_id = p.user_id AND NOT n.is_read),"
        " (SELECT m.id FROM messaging_message m WHERE m.conversation_id = c.id"
        "   ORDER BY m.sequence DESC LIMIT 1)"
        " FROM messaging_participant p JOIN messaging_conversation c"
        " ON c.id = p.conversation_id"
        " LEFT JOIN messaging_user low ON low.id = c.low_user_id"
        " LEFT JOIN messaging_user high ON high.id = c.high_user_id"
        " WHERE p.user_id = ? ORDER BY c.last_activity_at DESC, c.id DESC LIMIT 51",
        caller,
    ).fetchall()
    wanted = [row[12] for row in rows[:50] if row[12]]
    marks = ", ".join("?" * len(wanted))
    last = {
        row[0]: _shown(row)
        for row in _execute(f"{_MESSAGE} WHERE m.id IN ({marks})", *wanted).fetchall()
    }
    return {"items": [{"row": [*row], "last": last.get(row[12])} for row in rows[:50]]}


def _send(caller: int, conversation: int, environ: "WSGIEnvironment") -> Shown:
    content = orjson.loads(environ["wsgi.input"].read())["content"]
    now = datetime.now(UTC)
    with _transaction():
        _require_part(caller, conversation)
        (sequence,) = _execute(
            "UPDATE messaging_conversation SET last_sequence = last_sequence + 1,"
            " version = version + 1, last_activity_at = ? WHERE id = ?"
            " RETURNING last_sequence",
            now,
            conversation,
        ).fetchone() or (0,)
        (message,) = _execute(
            "INSERT INTO messaging_message (sequence, content, timestamp, read, edited,"
            " content_version, reply_count, conversation_id, sender_id)"
            " VALUES (?, ?, ?, FALSE, FALSE, 1, 0, ?, ?) RETURNING id",
            sequence,
            content,
            now,
            conversation,
            caller,
        ).fetchone() or (0,)
        _event("message.created", conversation, message, now)
        _execute(
            "INSERT INTO messaging_notification (kind, position, created_at, is_read,"
            " silent, conversation_id, message_id, user_id) SELECT 'message',"
            " ?, ?, FALSE, p.muted, p.conversation_id, ?, p.user_id"
            " FROM messaging_participant p"
            " WHERE p.conversation_id = ? AND p.user_id <> ?",
            _event("notification.created", conversation, message, now),
            now,
            message,
            conversation,
            caller,
        )
        return _message(message)


def _event(kind: str, conversation: object, message: object, now: datetime) -> object:
    """Its id; on PostgreSQL it would be numbered later, by somebody else."""
    columns, values = "type, conversation_id, message_id, created_at", "?, ?, ?, ?"
    given: list[object] = [kind, conversation, message, now]
    if _SQLITE:
        (clock,) = _execute(
            "UPDATE messaging_installation SET clock = clock + 1 RETURNING clock"
        ).fetchone() or (0,)
        columns, values = f"{columns}, id, position", f"{values}, ?, ?"
        given += [clock, clock]
    (number,) = _execute(
        f"INSERT INTO messaging_event ({columns}) VALUES ({values}) RETURNING id",
        *given,
    ).fetchone() or (0,)
    return number


def _edit(caller: int, message: int, environ: "WSGIEnvironment") -> Shown:
    content = orjson.loads(environ["wsgi.input"].read())["content"]
    now = datetime.now(UTC)
    with _transaction():
        row = _execute(
            "SELECT content, content_version, conversation_id FROM messaging_message"
            " WHERE id = ? AND sender_id = ?",
            message,
            caller,
        ).fetchone()
        if row is None:
            raise _RefusedError
        old, version, conversation = row
        _execute(
            "INSERT INTO messaging_messagehistory (position, version, old_content,"
            " edited_at, edited_by_id, message_id, conversation_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            _event("message.edited", conversation, message, now),
            version,
            old,
            now,
            caller,
            message,
            conversation,
        )
        _execute(
            "UPDATE messaging_message SET content = ?, edited = TRUE,"
            " content_version = content_version + 1 WHERE id = ?",
            content,
            message,
        )
        _execute(
            "UPDATE messaging_conversation SET version = version + 1 WHERE id = ?",
            conversation,
        )
        return _message(message)


def _require_part(caller: int, conversation: int) -> None:
    membership = _execute(
        "SELECT 1 FROM messaging_participant WHERE conversation_id = ? AND user_id = ?",
        conversation,
        caller,
    )
    if membership.fetchone() is None:
        raise _RefusedError


def _message(message: object) -> Shown:
    row = _execute(f"{_MESSAGE} WHERE m.id = ?", message).fetchone()
    if row is None:
        raise _RefusedError
    return _shown(row)


def _shown(row: Row) -> Shown:
    return {
        "id": row[0],
        "conversation_id": row[1],
        "sequence": row[2],
        "sender": _person(row[10:13]),
        "receiver": _person(row[13:16]),
        "content": row[3],
        "timestamp": row[4],
        "read": bool(row[5]),
        "edited": bool(row[6]),
        "deleted": row[10] is None,
        "version": row[7],
        "parent_message_id": row[8],
        "reply_count": row[9],
    }


def _person(row: Row) -> Shown | None:
    identity, username, name = row
    if identity is None:
        return None
    return {"id": identity, "username": username, "display_name": name}


def _connection() -> _Connection:
    if not hasattr(_local, "connection"):
        _local.connection = _connected()
    connection: _Connection = _local.connection
    return connection


def _connected() -> _Connection:
    if not _SQLITE:
        return cast(_Connection, psycopg.connect(_URL, autocommit=True))
    sqlite3.register_adapter(datetime, lambda moment: moment.isoformat(" "))
    connection = sqlite3.connect(
        _URL.removeprefix("sqlite:///"), isolation_level=None, timeout=20
    )
    connection.execute("PRAGMA journal_mode=WAL")
    # As durable as Parley itself, or the comparison would not be fair.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _execute(statement: str, *parameters: object) -> _Cursor:
    return _connection().execute(
        statement if _SQLITE else statement.replace("?", "%s"), parameters
    )


@contextmanager
def _transaction() -> Iterator[None]:
    _execute("BEGIN IMMEDIATE" if _SQLITE else "BEGIN")
    try:
        yield
    except BaseException:
        _execute("ROLLBACK")
        raise
    _execute("COMMIT")


_Answer = Callable[[int, int, "WSGIEnvironment"], Shown]

_ROUTES: Final[tuple[tuple[re.Pattern[str], _Answer], ...]] = (
    (re.compile(r"GET /conversations/(\d+)/messages"), _page),
    (re.compile(r"POST /conversations/(\d+)/messages"), _send),
    (re.compile(r"PATCH /messages/(\d+)"), _edit),
    (re.compile(r"GET /messages/(\d+)/thread"), _thread),
    (re.compile(r"GET /inbox"), _inbox),
    (re.compile(r"GET /inbox/summary"), _summary),
    (re.compile(r"GET /conversations"), _conversations),
)
