"""What the migrations make of the tables, on each database."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, models

from messaging.models import ImportedMessage, Message, Notification, User
from tests.rows import erase


@pytest.mark.django_db(transaction=True)
def test_a_changed_table_gives_no_id_twice(ann: User, bob: User) -> None:
    """SQLite copies a table to change it; events, looks and imports name ids that are gone."""
    last = [
        Message.objects.create(sender=ann, receiver=bob, content="gone").pk
        for _ in "12"
    ][-1]
    erase(Notification.objects.all())
    erase(Message.objects.all())
    content = Message._meta.get_field("content")
    changed = models.TextField(blank=True, null=True)
    changed.set_attributes_from_name("content")
    changed.model = Message
    for old, new in ((content, changed), (changed, content)):
        with connection.schema_editor() as editor:
            editor.alter_field(Message, old, new)
    sent = Message.objects.create(sender=ann, receiver=bob, content="new")
    assert sent.pk > last


@pytest.mark.django_db
def test_postgresql_keeps_no_index_for_patterns() -> None:
    """No query matches text by `LIKE` at its beginning: they would cost each write."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has none")
    assert _pattern_indexes() == []
    with connection.cursor() as cursor:
        # As Django named and made it until now, and one of somebody else.
        for name in ("messaging_user_username_0123abcd_like", "their_own"):
            cursor.execute(
                f"CREATE INDEX {name} ON messaging_user (username varchar_pattern_ops)"
            )
    migration = import_module("messaging.migrations.0017_no_pattern_indexes")
    with connection.schema_editor(atomic=False) as editor:
        migration.drop_pattern_indexes(apps, editor)
    assert _pattern_indexes() == ["their_own"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "index", ["message_received", "message_external_id_once", "conversation_high_user"]
)
def test_what_most_rows_lack_is_not_in_the_index(index: str) -> None:
    """Groups have no pair, their messages no receiver, and few are of an import."""
    catalogue = (
        "SELECT indexdef FROM pg_indexes WHERE indexname = %s"
        if connection.vendor == "postgresql"
        else "SELECT sql FROM sqlite_master WHERE name = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(catalogue, [index])
        ((definition,),) = cursor.fetchall()
    assert "IS NOT NULL" in definition


@pytest.mark.django_db
def test_records_of_imports_learn_the_conversations_of_their_messages(
    ann: User, bob: User, cleo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [
        Message.objects.create(sender=ann, receiver=receiver, content="Hi")
        for receiver in (bob, cleo, bob)
    ]
    gone = 10**6
    ImportedMessage.objects.bulk_create(
        ImportedMessage(digest=f"{place}", message_id=message_id)
        for place, message_id in enumerate(
            [gone, sent[0].pk, sent[1].pk, gone, gone, sent[2].pk]
        )
    )
    migration = import_module(
        "messaging.migrations.0019_fill_conversations_of_versions"
    )
    monkeypatch.setattr(migration, "_BATCH", 2)
    migration.fill_conversations(apps, None)
    found = ImportedMessage.objects.order_by("digest")
    first, second, third = (message.conversation_id for message in sent)
    assert list(found.values_list("conversation_id", flat=True)) == [
        *(None, first, second),
        *(None, None, third),
    ]


def test_no_index_is_the_beginning_of_another() -> None:
    """The longer one answers the same queries."""
    for model in apps.get_app_config("messaging").get_models():
        plain = [*_indexes_of_all_rows(model)]
        for columns in plain:
            longer = [
                other
                for other in (*plain, *_unique_of_all_rows(model))
                if len(other) > len(columns) and other[: len(columns)] == columns
            ]
            assert not longer, (model, columns)


def _indexes_of_all_rows(model: type[models.Model]) -> Iterator[tuple[str, ...]]:
    for field in model._meta.local_fields:
        if field.db_index and not field.unique:  # type: ignore[attr-defined]  # not in the stubs
            yield (field.name,)
    for index in model._meta.indexes:
        if index.condition is None:
            yield tuple(index.fields)


def _unique_of_all_rows(model: type[models.Model]) -> Iterator[tuple[str, ...]]:
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and not constraint.condition:
            yield tuple(constraint.fields)


def _pattern_indexes() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes"
            " WHERE schemaname = current_schema() AND indexdef LIKE '%_pattern_ops%'"
        )
        return [name for (name,) in cursor.fetchall()]
