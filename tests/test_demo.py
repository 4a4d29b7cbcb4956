"""The demo that shows a newcomer around."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from pytest_django import Settings

from messaging.demo.story import STORY
from messaging.models import (
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db

Rows = list[tuple[object, ...]]


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


def seed() -> str:
    said = StringIO()
    call_command("seed_demo", stdout=said)
    return said.getvalue()


def all_rows() -> list[Rows]:
    models = (User, Conversation, Participant, Message, MessageHistory, Notification)
    return [
        list(model._default_manager.order_by("pk").values_list()) for model in models
    ]


def test_the_printed_password_signs_everybody_in(data_dir: Path) -> None:
    said = seed()
    password = (data_dir / "demo-password").read_text().strip()
    assert f"  username: maya\n  password: {password}\n" in said
    assert User.objects.count() == 6
    for user in User.objects.all():
        assert authenticate(username=user.username, password=password) == user


def test_only_the_owner_can_read_the_password(data_dir: Path) -> None:
    seed()
    file = data_dir / "demo-password"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(data_dir.iterdir()) == [file]


def test_every_installation_has_another_password(data_dir: Path) -> None:
    seed()
    first = (data_dir / "demo-password").read_text()
    (data_dir / "demo-password").unlink()
    seed()
    assert (data_dir / "demo-password").read_text() != first


def test_it_shows_what_there_is_to_see() -> None:
    seed()
    maya = User.objects.get(username="maya")
    kinds = set(Conversation.objects.values_list("kind", flat=True))
    unread = Notification.objects.filter(user=maya, is_read=False)
    assert kinds == {"direct", "group"}
    assert deepest_thread() >= 10
    assert MessageHistory.objects.count() >= 3
    assert Message.objects.filter(edited=True).count() >= 2
    assert set(unread.values_list("kind", flat=True)) == {"mention", "message"}
    assert Message.unread.for_user(maya).count() == unread.count() >= 3


def deepest_thread() -> int:
    parents = dict(Message.objects.values_list("pk", "parent_message"))

    def depth(pk: int | None) -> int:
        return 0 if pk is None else 1 + depth(parents[pk])

    return max(depth(pk) for pk in parents)


def test_nobody_else_has_anything_to_read() -> None:
    seed()
    unread = Notification.objects.filter(is_read=False)
    assert set(unread.values_list("user__username", flat=True)) == {"maya"}


def test_everything_happened_when_its_message_was_sent() -> None:
    seed()
    for notification in Notification.objects.select_related("message"):
        assert notification.created_at == notification.message.timestamp
    for edit in MessageHistory.objects.select_related("message"):
        assert edit.edited_at > edit.message.timestamp
    for participant in Participant.objects.select_related("conversation"):
        first = participant.conversation.messages.earliest("sequence")
        assert (
            participant.joined_at
            == participant.conversation.created_at
            == first.timestamp
        )


def test_the_inbox_is_in_the_order_of_time() -> None:
    seed()
    maya = User.objects.get(username="maya")
    moments = [message.timestamp for message in Message.unread.for_user(maya)]
    assert moments == sorted(moments, reverse=True)


def test_running_it_again_changes_nothing_and_prints_the_same() -> None:
    first = seed()
    before = all_rows()
    second = seed()
    assert all_rows() == before
    assert first.splitlines()[1:] == second.splitlines()[1:]
    assert second.startswith("The demo is there already.\n")


def test_a_lost_password_is_replaced(data_dir: Path) -> None:
    seed()
    (data_dir / "demo-password").unlink()
    said = seed()
    password = (data_dir / "demo-password").read_text().strip()
    assert "new password" in said
    assert f"password: {password}" in said
    assert authenticate(username="maya", password=password) is not None
    assert Message.objects.count() == len(STORY)


def test_a_password_that_someone_changed_is_left_alone() -> None:
    seed()
    maya = User.objects.get(username="maya")
    maya.set_password("another good password")
    maya.save()
    said = seed()
    assert "someone changed the password" in said
    assert authenticate(username="maya", password="another good password") == maya


def test_the_next_one_is_shown_when_the_first_has_gone() -> None:
    seed()
    User.objects.filter(username="maya").update(external_id=None, username="real")
    assert "  username: jonas\n" in seed()


def test_a_real_account_with_a_name_of_the_demo_is_not_touched(
    data_dir: Path, make_user: MakeUser
) -> None:
    make_user("Kenji")
    before = all_rows()
    with pytest.raises(CommandError, match="usernames that real accounts have: Kenji"):
        seed()
    assert all_rows() == before
    assert not data_dir.exists()


def test_a_refused_run_leaves_nothing(settings: Settings, data_dir: Path) -> None:
    settings.PARLEY_MAX_PARTICIPANTS = 5
    with pytest.raises(CommandError, match="at most 5 participants"):
        seed()
    assert not any(all_rows())
    settings.PARLEY_MAX_PARTICIPANTS = 6
    assert seed().startswith("The demo is filled in.")
