"""Tables divided by conversation: the optional migrations of PARLEY_PARTITIONS."""

import pytest
from django.conf import settings
from django.db import IntegrityError, NotSupportedError, connection

from config.postgresql.partitions.tables import TABLES, divide, unite
from messaging.models import Conversation, Message, MessageHistory, Notification, User
from messaging.services.consistency import find_inconsistencies
from tests.messaging.other_connection import only_postgres
from tests.rows import erase, insert
from tests.schemas import is_divided, table_definitions
from tests.tables import all_rows

PARTS = 4


@pytest.fixture
def whole(db: None) -> None:
    """Also in a run with PARLEY_PARTITIONS."""
    if settings.PARLEY_PARTITIONS:
        unite(connection)


@pytest.fixture
def written(whole: None, message: Message, group: Conversation, ann: User) -> None:
    """Rows in several partitions; the newest message is gone."""
    message.content = "hello again"
    message.save()
    for _ in range(3):
        Message.objects.create(sender=ann, conversation=group, content="Hi, all")
    last = Message.objects.filter(conversation=group).latest("sequence")
    erase(Notification.objects.filter(message=last))
    erase(Message.objects.filter(pk=last.pk))
    # A table whose references are still to be checked cannot be dropped.
    connection.check_constraints()


@only_postgres
def test_all_rows_are_carried_over(written: None) -> None:
    before = all_rows()
    divide(connection, parts=PARTS)
    assert all(map(is_divided, TABLES))
    assert all_rows() == before
    unite(connection)
    assert not any(map(is_divided, TABLES))
    assert all_rows() == before


@only_postgres
def test_undone_leaves_what_was_there(whole: None) -> None:
    before = table_definitions(connection)
    divide(connection, parts=PARTS)
    assert table_definitions(connection) != before
    unite(connection)
    assert table_definitions(connection) == before


@only_postgres
def test_an_id_is_not_given_twice(written: None, ann: User, bob: User) -> None:
    """No key sees to it: one of `id` alone is not to be had over all partitions."""
    highest = Message.objects.latest("pk").pk
    divide(connection, parts=PARTS)
    new = Message.objects.create(sender=ann, receiver=bob, content="new")
    # One id between was that of the message that is gone.
    assert new.pk == highest + 2


@only_postgres
def test_keys_and_references_name_the_conversation(whole: None) -> None:
    divide(connection, parts=PARTS)
    constraints = table_definitions(connection)["constraints"]
    keys = {name: text for _, name, text in constraints if "KEY" in str(text)}
    unique = {name: text for _, name, text in constraints if "UNIQUE" in str(text)}
    for table in TABLES:
        assert keys[f"{table}_pkey"] == "PRIMARY KEY (id, conversation_id)"
    assert unique["history_version_once"] == (
        "UNIQUE (message_id, version, conversation_id)"
    )
    to_messages = {
        (str(table), str(text))
        for table, _, text in constraints
        if "REFERENCES messaging_message(" in str(text)
    }
    assert to_messages == {
        (
            table,
            (
                f"FOREIGN KEY (conversation_id, {column}) REFERENCES"
                " messaging_message(conversation_id, id) DEFERRABLE INITIALLY DEFERRED"
            ),
        )
        for table, column in (
            ("messaging_message", "parent_message_id"),
            ("messaging_messagehistory", "message_id"),
            # It is whole, and refers to what is divided.
            ("messaging_notification", "message_id"),
        )
    }


@only_postgres
def test_a_reference_into_another_conversation_is_refused_at_the_end(
    written: None, group: Conversation, message: Message, cleo: User
) -> None:
    divide(connection, parts=PARTS)
    row = Notification(
        user=cleo, message=message, conversation=group, kind="message", position=1
    )
    # Not before.
    insert(row)
    with pytest.raises(IntegrityError):
        connection.check_constraints()


@only_postgres
def test_a_message_is_kept_while_something_refers_to_it(
    written: None, message: Message
) -> None:
    divide(connection, parts=PARTS)
    erase(Notification.objects.filter(message=message))
    erase(Message.objects.filter(pk=message.pk))
    assert MessageHistory.objects.filter(message=message.pk).exists()
    with pytest.raises(IntegrityError):
        connection.check_constraints()


@only_postgres
def test_a_version_is_kept_once(written: None, message: Message) -> None:
    divide(connection, parts=PARTS)
    row = MessageHistory.objects.get(message=message)
    row.pk = None
    with pytest.raises(IntegrityError):
        insert(row)


@only_postgres
def test_what_is_promised_holds_over_partitions(
    written: None, ann: User, bob: User, group: Conversation
) -> None:
    divide(connection, parts=PARTS)
    for receiver in (ann, bob):
        Message.objects.create(
            sender=ann if receiver == bob else bob, receiver=receiver, content="more"
        )
    Message.objects.create(sender=bob, conversation=group, content="reply")
    assert [*find_inconsistencies()] == []


@pytest.mark.django_db
def test_sqlite_is_refused() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL has partitions")
    with pytest.raises(NotSupportedError, match="only PostgreSQL divides tables"):
        divide(connection, parts=PARTS)
