"""What the database itself refuses, and what the ORM does not let past the rules."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet

from messaging.errors import BypassError
from messaging.models import (
    Conversation,
    Installation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.services.installation import ensure_installation
from tests.rows import erase, insert, overwrite

Write = Callable[[], object]


def _refused(write: Write) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


def _write_past_the_rules(rows: QuerySet[Message], **values: object) -> Write:
    """As raw SQL would: the queryset of messages refuses some."""
    return lambda: QuerySet(Message).filter(pk__in=rows).update(**values)


@pytest.mark.django_db(transaction=True)
def test_a_user_with_messages_cannot_be_deleted_alone(message: Message) -> None:
    """Whoever goes past the receivers, or forgets a table in them, is stopped."""
    for username in ("ann", "bob"):
        gone = User.objects.filter(username=username)
        with pytest.raises(IntegrityError), transaction.atomic():
            gone._raw_delete(gone.db)
    assert User.objects.count() == 2
    assert Message.objects.get() == message


@pytest.mark.django_db(transaction=True)
def test_a_message_with_replies_cannot_be_deleted_alone(
    bob: User, message: Message
) -> None:
    Message.objects.create(sender=bob, parent_message=message, content="reply")
    rows = Message.objects.filter(pk=message.pk)
    erase(Notification.objects.all())
    with pytest.raises(IntegrityError):
        erase(rows)
    assert Message.objects.count() == 2


@pytest.mark.parametrize("name", ["ann", "ANN", "Ann"])
def test_no_two_usernames_differ_in_case_alone(ann: User, name: str) -> None:
    _refused(lambda: User.objects.create_user(name))
    assert User.objects.get() == ann


def test_a_username_cannot_be_changed_into_anothers(ann: User, bob: User) -> None:
    _refused(lambda: User.objects.filter(pk=bob.pk).update(username="ANN"))


def test_nobody_participates_twice(bob: User, group: Conversation) -> None:
    _refused(lambda: insert(Participant(conversation=group, user=bob)))


@pytest.mark.parametrize("content", ["", "x" * 5001])
def test_no_message_is_blank_or_too_long(message: Message, content: str) -> None:
    _refused(_write_past_the_rules(Message.objects.all(), content=content))
    assert Message.objects.get().content == "hello"


@pytest.mark.parametrize("kept", ["content", "receiver"])
def test_a_tombstone_keeps_nothing(message: Message, kept: str) -> None:
    emptied = {"content": "", "receiver": None, "sender": None}
    del emptied[kept]
    _refused(_write_past_the_rules(Message.objects.all(), **emptied))
    assert not Message.objects.get().deleted


def test_sequences_begin_at_one_and_never_repeat(
    ann: User, bob: User, message: Message
) -> None:
    Message.objects.create(sender=ann, receiver=bob, content="two")
    _refused(lambda: overwrite(Message.objects.filter(sequence=1), sequence=0))
    _refused(lambda: overwrite(Message.objects.filter(sequence=1), sequence=2))


def test_two_people_have_one_conversation(message: Message) -> None:
    pair = message.conversation
    _refused(
        lambda: insert(
            Conversation(
                kind="direct", low_user=pair.low_user, high_user=pair.high_user
            )
        )
    )
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize("kind", ["direct", "group", "other"])
def test_a_direct_conversation_has_two_people_in_order(
    ann: User, bob: User, kind: str
) -> None:
    for low, high in ((bob, ann), (ann, ann), (ann, None)):
        _refused(
            lambda low=low, high=high: insert(  # type: ignore[misc]  # mypy infers no lambda with defaults
                Conversation(kind=kind, low_user=low, high_user=high)
            )
        )
    assert not Conversation.objects.exists()


def test_one_person_has_one_notification_of_a_message(
    bob: User, message: Message
) -> None:
    _refused(
        lambda: insert(
            Notification(
                user=bob,
                message=message,
                conversation=message.conversation,
                kind="reply",
                position=9,
            )
        )
    )


def test_a_version_is_kept_once(ann: User, message: Message) -> None:
    def kept(content: str) -> MessageHistory:
        return MessageHistory(
            message=message,
            conversation=message.conversation,
            version=1,
            old_content=content,
            edited_by=ann,
        )

    insert(kept("a"))
    _refused(lambda: insert(kept("b")))


def test_an_external_id_names_one_message_of_its_conversation(
    ann: User, bob: User, cleo: User, message: Message
) -> None:
    """Of a whole table it could not be unique once the table is partitioned."""
    there = Message.objects.create(sender=ann, receiver=bob, content="same talk")
    elsewhere = Message.objects.create(sender=ann, receiver=cleo, content="another")
    rows = Message.objects.all()
    overwrite(rows.filter(pk__in=[message.pk, elsewhere.pk]), external_id="chat/1")
    _refused(lambda: overwrite(rows.filter(pk=there.pk), external_id="chat/1"))
    assert rows.filter(external_id="chat/1").count() == 2


def test_every_reference_to_a_message_names_its_conversation() -> None:
    """So that tables can be partitioned by conversation: decision 0041."""
    for model in apps.get_app_config("messaging").get_models():
        fields = model._meta.concrete_fields
        columns = {field.column for field in fields}
        if "message_id" in columns or any(
            field.related_model is Message for field in fields
        ):
            assert "conversation_id" in columns, model


@pytest.mark.django_db
def test_there_is_one_installation() -> None:
    epoch = Installation.objects.get().epoch
    ensure_installation(apps=apps)
    assert Installation.objects.get().epoch == epoch
    assert str(Installation.objects.get()) == f"installation {epoch}"
    _refused(lambda: insert(Installation(id=2, epoch="x")))


@pytest.mark.parametrize(
    "write",
    [
        lambda rows: rows.update(content="x"),
        lambda rows: rows.filter(pk=0).update(content="x", read=True),
        lambda rows: rows.delete(),
        lambda rows: rows.get().delete(),
        lambda rows: rows.bulk_update([rows.get()], ["content"]),
        lambda rows: rows.bulk_create([Message(content="x")]),
    ],
)
def test_bulk_writes_past_history_are_refused(
    message: Message, write: Callable[[QuerySet[Message]], object]
) -> None:
    with pytest.raises(BypassError), transaction.atomic():
        write(Message.objects.all())
    assert Message.objects.get().content == "hello"
    assert not MessageHistory.objects.exists()


@pytest.mark.parametrize("name", ["sent_messages", "received_messages"])
def test_the_related_managers_guard_messages_as_well(
    message: Message, name: str
) -> None:
    for user in User.objects.all():
        related: models.Manager[Message] = getattr(user, name)
        with pytest.raises(BypassError):
            related.update(content="x")
    assert Message.objects.get().content == "hello"
