#!/usr/bin/env bash
# Django 5.2.9 on SQLite: a migration that changes a column gives the ids of deleted rows out again.
#
# Expected: Django declares the keys of tables on SQLite AUTOINCREMENT, so that no id is ever given twice,
# and on PostgreSQL a sequence goes on whatever becomes of the rows. A column that becomes unique changes
# nothing about it.
# Seen: SQLite cannot change a column, so Django copies the table, drops the old one and renames the copy.
# SQLite counts on from the highest id that is in the copy: the ids of rows deleted at the end are
# given to new rows. What kept such an id elsewhere (a log, a link, a cursor) now means another row. Adding a
# column that may be null copies nothing, and keeps the count.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.9

cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import django
from django.conf import settings
from django.db import connection, models

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "notes.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()


class Note(models.Model):
    text = models.CharField(max_length=100)

    class Meta:
        app_label = "notes"


def id_after(change):
    """The id of a new row, after three were written, the last two deleted, and the table changed."""
    with connection.schema_editor() as editor:
        editor.create_model(Note)
    for number in range(3):
        last = Note.objects.create(text=str(number)).pk
    Note.objects.filter(pk__gt=1).delete()
    with connection.schema_editor() as editor:
        change(editor)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO notes_note (text) VALUES ('new')")
        given = cursor.lastrowid
    with connection.schema_editor() as editor:
        editor.delete_model(Note)
    return last, given


def nothing(editor):
    pass


def alter(editor):
    unique = models.CharField(max_length=100, unique=True)
    unique.set_attributes_from_name("text")
    unique.model = Note
    editor.alter_field(Note, Note._meta.get_field("text"), unique)


def add(editor):
    extra = models.IntegerField(null=True)
    extra.set_attributes_from_name("extra")
    extra.model = Note
    editor.add_field(Note, extra)


seen = {change.__name__: id_after(change) for change in (nothing, add, alter)}
for name, (last, given) in seen.items():
    print(f"{name:7} highest id before: {last}, id of the next row: {given}")
as_written = seen == {"nothing": (3, 4), "add": (3, 4), "alter": (3, 2)}
sys.exit(0 if as_written else 1)
PYTHON
