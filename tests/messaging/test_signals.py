"""The receivers: what they leave alone, and that they can be disconnected."""

from pathlib import Path

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db.models import Model

from messaging.models import (
    Conversation,
    Installation,
    Message,
    MessageHistory,
    Notification,
    User,
)
from tests.conftest import DisconnectReceivers
from tests.rows import erase


def _fixture(path: Path, message: Message) -> str:
    path.write_text(serializers.serialize("json", [message]))
    return str(path)


def test_a_fixture_notifies_nobody_and_numbers_nothing(
    tmp_path: Path, message: Message
) -> None:
    message.pk = None
    message.sequence, message.content = 7, " as it was "
    fixture = _fixture(tmp_path / "messages.json", message)
    before = Conversation.objects.values().get()
    call_command("loaddata", fixture, verbosity=0)
    loaded = Message.objects.get(sequence=7)
    assert loaded.content == " as it was "
    assert not loaded.notifications.exists()
    assert Conversation.objects.values().get() == before


def test_a_fixture_over_a_stored_message_writes_no_history(
    tmp_path: Path, message: Message
) -> None:
    message.content = "restored"
    fixture = _fixture(tmp_path / "messages.json", message)
    call_command("loaddata", fixture, verbosity=0)
    assert Message.objects.get().content == "restored"
    assert not MessageHistory.objects.exists()
    assert Notification.objects.count() == 1


def test_a_fixture_of_a_renamed_person_renews_nothing(
    tmp_path: Path, ann: User, group: Conversation
) -> None:
    ann.display_name = "Anna"
    path = tmp_path / "users.json"
    path.write_text(serializers.serialize("json", [ann]))
    call_command("loaddata", str(path), verbosity=0)
    assert User.objects.get(pk=ann.pk).display_name == "Anna"
    assert Conversation.objects.get().version == group.version


def test_disconnected_receivers_add_nothing(
    ann: User,
    bob: User,
    message: Message,
    disconnect_receivers: DisconnectReceivers,
) -> None:
    with disconnect_receivers():
        quiet = Message.objects.create(
            sender=ann,
            receiver=bob,
            conversation=message.conversation,
            sequence=50,
            content=" quiet ",
        )
        message.content = "changed"
        message.save()
    assert Message.objects.get(pk=quiet.pk).content == " quiet "
    assert not quiet.notifications.exists()
    assert not MessageHistory.objects.exists()


def test_receivers_are_connected_again(
    ann: User, bob: User, disconnect_receivers: DisconnectReceivers
) -> None:
    with disconnect_receivers():
        pass
    message = Message.objects.create(sender=ann, receiver=bob, content="loud")
    assert message.notifications.count() == 1
    message.content = "louder"
    message.save()
    assert message.history.count() == 1


def test_a_save_without_the_content_writes_no_phantom_history(
    message: Message,
) -> None:
    message.content = "never saved"
    Model.save(message, update_fields=["timestamp"])
    assert not MessageHistory.objects.exists()
    assert Message.objects.get().content == "hello"


@pytest.mark.django_db
def test_migrating_brings_the_installation_back() -> None:
    erase(Installation.objects.all())
    call_command("migrate", verbosity=0)
    assert len(Installation.objects.get().epoch) == 32
