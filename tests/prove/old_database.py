"""A database as an earlier version left it: `python -m tests.prove.old_database …`.

`fill NAME` writes some of everything through the models as they were at that
migration, and `dump` prints all that is kept.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import django
from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from typing_extensions import TypedDict

from messaging.folding import fold, searchable_words

APP: Final = "messaging"
_THEN: Final = datetime(2026, 1, 1, 10, tzinfo=UTC)


class Table(TypedDict):
    columns: list[str]
    rows: list[list[str]]


Rows = Sequence[dict[str, object]]

_ANN, _BOB, _CLEO = 1, 2, 3
_DIRECT, _GROUP = 1, 2
_LINE: Final = "é 😀 \u202e \\ ' \" %s\n"

# By what people are found since 0006; before, a migration makes it of their names.
_NAMES: Final = {_ANN: ("Ann", "Ann é 😀"), _BOB: ("bob", "Bob"), _CLEO: ("cleo", "C")}
_ENTRIES: Final[Rows] = [
    {"user_id": user, "entry": f"{word} {username.lower()}"}
    for user, (username, name) in _NAMES.items()
    for word in sorted(
        {username.lower(), *searchable_words(username), *searchable_words(name)}
    )
]

# By model; keys are explicit, so that rows can name each other.
_SCENE: Final[dict[str, Rows]] = {
    "user": [
        {
            "id": _ANN,
            "username": "Ann",
            "display_name": "Ann é 😀",
            "password": "!",
            "folded_name": fold("Ann Ann é 😀"),
        },
        {
            "id": _BOB,
            "username": "bob",
            "display_name": "Bob",
            "password": "!",
            "folded_name": "bob bob",
        },
        {
            "id": _CLEO,
            "username": "cleo",
            "display_name": "C",
            "external_id": "x/1",
            "folded_name": "cleo c",
        },
    ],
    "conversation": [
        {
            "id": _DIRECT,
            "kind": "direct",
            "low_user_id": _ANN,
            "high_user_id": _BOB,
            "last_sequence": 3,
            "version": 7,
        },
        {
            "id": _GROUP,
            "kind": "group",
            "title": "Team",
            "folded_title": "team",
            "last_sequence": 3,
        },
    ],
    "participant": [
        {"conversation_id": _DIRECT, "user_id": _ANN},
        {"conversation_id": _DIRECT, "user_id": _BOB, "muted": True},
        {"conversation_id": _GROUP, "user_id": _ANN, "role": "owner"},
        {"conversation_id": _GROUP, "user_id": _CLEO, "hidden_through": 2},
    ],
    "message": [
        {
            "id": 1,
            "conversation_id": _DIRECT,
            "sequence": 1,
            "sender_id": _ANN,
            "receiver_id": _BOB,
            "content": _LINE * 300,
            "edited": True,
            "content_version": 2,
        },
        {
            "id": 2,
            "conversation_id": _DIRECT,
            "sequence": 3,
            "sender_id": _BOB,
            "receiver_id": _ANN,
            "content": "The second was deleted.",
            "read": True,
        },
        # A tombstone, and the reply that keeps it.
        {
            "id": 3,
            "conversation_id": _GROUP,
            "sequence": 1,
            "sender_id": None,
            "read": True,
            "reply_count": 1,
        },
        {
            "id": 4,
            "conversation_id": _GROUP,
            "sequence": 2,
            "sender_id": _CLEO,
            "content": "@Ann reply",
            "edited": True,
            "content_version": 2,
            "parent_message_id": 3,
            "external_id": "x/2",
        },
    ],
    "messagehistory": [
        {
            "message_id": 1,
            "conversation_id": _DIRECT,
            "version": 1,
            "old_content": "first",
            "edited_by_id": _ANN,
        },
        {
            "message_id": 4,
            "conversation_id": _GROUP,
            "version": 1,
            "old_content": "@Ann",
            "edited_by_id": _CLEO,
        },
    ],
    "notification": [
        {
            "user_id": _BOB,
            "message_id": 1,
            "conversation_id": _DIRECT,
            "kind": "message",
            "position": 1,
            "silent": True,
        },
        {
            "user_id": _ANN,
            "message_id": 2,
            "conversation_id": _DIRECT,
            "kind": "message",
            "position": 2,
            "is_read": True,
        },
        {
            "user_id": _ANN,
            "message_id": 4,
            "conversation_id": _GROUP,
            "kind": "mention",
            "position": 3,
        },
    ],
    "importedmessage": [
        {"digest": "x", "message_id": 4, "conversation_id": _GROUP},
    ],
    "block": [{"blocker_id": _BOB, "blocked_id": _CLEO}],
    "session": [
        {
            "session_key": "k" * 32,
            "session_data": "data",
            "user_id": _ANN,
            "expire_date": _THEN + timedelta(days=9999),
        }
    ],
    # Made by the migration.
    "installation": [],
    "invitecode": [{"digest": "x", "conversation_id": _GROUP, "created_by_id": _ANN}],
    # Of nobody who takes part.
    "removal": [{"conversation_id": _GROUP, "user_id": _BOB}],
    "look": [
        {"id": 1, "by_id": _BOB, "source": "messages", "conversation_id": _GROUP},
        {"id": 2, "by_id": _BOB, "source": "password"},
    ],
    "looknotice": [
        {"look_id": 1, "user_id": _ANN},
        {"look_id": 2, "user_id": _CLEO},
    ],
    "nameentry": _ENTRIES,
}


def main(command: str, migration: str = "") -> None:
    if command == "fill":
        _fill(MigrationLoader(connection).project_state((APP, migration)).apps)
    json.dump(_dump(), sys.stdout)


def _fill(apps: Apps) -> None:
    found = list(apps.get_app_config(APP).get_models())
    for model in _in_order(found):
        fields = {field.attname for field in model._meta.concrete_fields}
        for named in _SCENE.get(str(model._meta.model_name), [{}]):
            # What this version knows of it.
            row = {name: value for name, value in named.items() if name in fields}
            model._default_manager.create(**_anything(model, without=row), **row)
    apps.get_model(APP, "installation")._default_manager.update(clock=3)
    # The rows came with ids, of which the database took no notice.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), found):
            cursor.execute(statement)


def _in_order(found: list[type[models.Model]]) -> list[type[models.Model]]:
    """Those that the others refer to first."""
    rank = {name: number for number, name in enumerate(_SCENE)}
    return sorted(found, key=lambda model: rank.get(str(model._meta.model_name), 99))


def _anything(
    model: type[models.Model], *, without: dict[str, object]
) -> dict[str, object]:
    """A value for each field that has no default and that the row does not name."""
    return {
        field.attname: _value(field)
        for field in model._meta.concrete_fields
        if field.attname not in without
        and not (field.null or field.has_default() or field.generated)
        and not isinstance(field, models.AutoField | models.BigAutoField)
    }


def _value(field: "models.Field[object, object]") -> object:
    if isinstance(field, models.ForeignKey):
        return 1
    if isinstance(field, models.DateTimeField):
        return _THEN
    if isinstance(field, models.IntegerField):
        return 1
    return "" if field.blank else "x"


def _dump() -> dict[str, Table]:
    return {name: _table(name) for name in _names()}


def _names() -> Iterator[str]:
    return (
        name
        for name in sorted(connection.introspection.table_names())
        if name.startswith(f"{APP}_")
    )


def _table(name: str) -> Table:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{name}"')  # noqa: S608  # a table of ours
        columns = [str(column[0]) for column in cursor.description or ()]
        rows = [[repr(value) for value in row] for row in cursor.fetchall()]
    return Table(columns=columns, rows=rows)


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:])
