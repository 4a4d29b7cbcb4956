"""A later file of conversations that were imported before: what is new is added."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from django.core.management import CommandError
from django.utils import timezone

from messaging.access import own_message
from messaging.database import BATCH_SIZE
from messaging.ids import MessageId, UserId
from messaging.import_export import importing
from messaging.import_export.checking import check_file
from messaging.import_export.staging import staging_area
from messaging.models import (
    Conversation,
    Event,
    Message,
    Notification,
    Participant,
    Removal,
    User,
)
from messaging.services.consistency import find_inconsistencies
from messaging.services.messages import delete_message, edit_message
from messaging.services.participants import put_participant, remove_participant
from messaging.services.summaries import conversation_page
from tests.conftest import MakeUser
from tests.import_lines import Line, exported, line, run_import, write
from tests.proofs import membership_of, owned_by
from tests.rows import overwrite
from tests.transactions import watch_transactions

pytestmark = pytest.mark.django_db


class Import(Protocol):
    def __call__(self, *lines: Line, skip_bad: bool = False) -> str: ...


@pytest.fixture
def import_lines(tmp_path: Path) -> Import:
    """Import these lines, and check the consistency of the database."""

    def imported_lines(*lines: Line, skip_bad: bool = False) -> str:
        said = run_import(write(tmp_path / "talk.jsonl", lines), skip_bad=skip_bad)
        assert list(find_inconsistencies()) == []
        return said

    return imported_lines


def _talk() -> Conversation:
    return Conversation.objects.get(external_id="talk")


def _contents() -> list[str]:
    rows = Message.objects.filter(conversation=_talk()).order_by("sequence")
    return [
        content or "(deleted)" for content in rows.values_list("content", flat=True)
    ]


def _message(name: str) -> Message:
    return Message.objects.get(external_id=name)


def _delete(name: str) -> None:
    message = _message(name)
    delete_message(
        message=own_message(
            sender=UserId(message.sender_id or 0), message_id=MessageId(message.pk)
        )
    )


def test_whom_an_owner_removed_is_not_noted_as_removed_when_an_import_adds_them(
    import_lines: Import,
) -> None:
    # An account is known by its name in the file.
    import_lines(line(0), line(0, id="other/0", conversation="other", sender="bob"))
    talk, ann = _talk(), User.objects.get(username="ann")
    put_participant(group=owned_by(ann, talk), username="bob", role="member")
    remove_participant(membership=owned_by(ann, talk), username="bob")
    assert Removal.objects.exists()
    import_lines(line(0), line(1, sender="bob"))
    assert Participant.objects.filter(user__username="bob", conversation=talk).exists()
    assert not Removal.objects.exists()


def test_a_later_file_adds_its_new_messages(import_lines: Import) -> None:
    import_lines(line(0), line(1, parent_message="talk/0"))
    before = _talk()
    later = [
        line(0),
        line(1, parent_message="talk/0"),
        line(2, sender="bob", parent_message="talk/1"),
        line(3, parent_message="talk/2"),
    ]
    said = import_lines(*later)
    assert "made 0 conversations with 0 messages, and 1 account for people." in said
    assert "Added 2 messages to 1 conversation that went on." in said
    assert "Skipped 1 conversation with 2 messages, there already." in said
    assert exported() == later
    after = _talk()
    assert (after.pk, after.last_sequence) == (before.pk, 4)
    assert after.version > before.version
    assert after.last_activity_at == _message("talk/3").timestamp
    assert _message("talk/1").reply_count == 1


def test_a_later_file_again_adds_nothing(import_lines: Import) -> None:
    import_lines(line(0))
    later = [line(0), line(1), line(2)]
    import_lines(*later)
    version = _talk().version
    said = import_lines(*later)
    assert "Added" not in said
    assert "Skipped 1 conversation with 3 messages, there already." in said
    assert exported() == later
    assert _talk().version == version


def test_what_was_exported_here_adds_nothing_here(import_lines: Import) -> None:
    """Tombstones, and what was written here, have no id but their number."""
    import_lines(
        line(0), line(1, parent_message="talk/0"), line(2, parent_message="talk/1")
    )
    _delete("talk/0")
    ann = User.objects.get(external_id="ann")
    Message.objects.create(conversation=_talk(), sender=ann, content="Written here")
    before = _contents()
    said = import_lines(*exported())
    assert "Added" not in said
    assert "Here otherwise" not in said
    assert (
        _contents() == before == ["(deleted)", "message 1", "message 2", "Written here"]
    )


def test_a_number_of_another_installation_is_no_message_of_this_one(
    import_lines: Import,
) -> None:
    import_lines(line(0))
    ann = User.objects.get(external_id="ann")
    here = Message.objects.create(conversation=_talk(), sender=ann, content="Here")
    import_lines(line(1, id=f"parley-{here.pk}"))
    assert _contents() == ["message 0", "Here", "message 1"]


def test_a_file_of_the_new_alone_finds_its_parents_in_the_database(
    import_lines: Import,
) -> None:
    import_lines(line(0), line(1))
    import_lines(line(2, parent_message="talk/1"), line(3, parent_message="talk/2"))
    assert exported() == [
        line(0),
        line(1),
        line(2, parent_message="talk/1"),
        line(3, parent_message="talk/2"),
    ]


def test_a_parent_is_still_of_the_same_conversation(import_lines: Import) -> None:
    import_lines(line(0), line(0, id="walk/0", conversation="walk"))
    with pytest.raises(CommandError, match="replies to no earlier message"):
        import_lines(line(1, parent_message="walk/0"))
    assert Message.objects.count() == 2


def test_an_id_of_a_message_elsewhere_is_refused(import_lines: Import) -> None:
    import_lines(line(0), line(0, id="walk/0", conversation="walk"))
    with pytest.raises(CommandError, match="has the id of a message stored before"):
        import_lines(line(1), line(2, id="walk/0"))
    import_lines(line(1), line(2, id="walk/0"), skip_bad=True)
    assert _contents() == ["message 0", "message 1"]


def test_files_that_overlap_are_one_conversation(import_lines: Import) -> None:
    """In the order they were brought: a number once given stays."""
    import_lines(line(2), line(3))
    import_lines(line(1), line(2), line(4, parent_message="talk/3"))
    assert _contents() == [f"message {number}" for number in (2, 3, 1, 4)]
    assert _talk().last_activity_at == _message("talk/4").timestamp


def test_what_people_wrote_here_since_stays(import_lines: Import) -> None:
    import_lines(line(0))
    ann = User.objects.get(external_id="ann")
    Message.objects.create(sender=ann, conversation=_talk(), content="from here")
    active = _talk().last_activity_at
    import_lines(line(0), line(1))
    assert _contents() == ["message 0", "from here", "message 1"]
    assert _talk().last_activity_at == active


def test_nothing_becomes_unread_and_nobody_is_notified(
    import_lines: Import, bob: User
) -> None:
    import_lines(line(0))
    ann = User.objects.get(external_id="ann")
    put_participant(group=owned_by(ann, _talk()), username="bob", role="member")
    Message.objects.create(sender=ann, conversation=_talk(), content="unread")
    import_lines(line(1), line(2, content="@bob"))
    assert Notification.objects.get().message.content == "unread"
    assert Message.objects.filter(read=False).count() == 1


def test_connected_clients_receive_a_reset(import_lines: Import) -> None:
    import_lines(line(0))
    import_lines(line(0), line(1))
    types = Event.objects.order_by("position").values_list("type", "conversation_id")
    assert list(types) == [
        ("conversation.created", _talk().pk),
        ("conversation.reset", _talk().pk),
    ]


def test_new_people_take_part_and_who_left_does_not_again(import_lines: Import) -> None:
    import_lines(line(0), line(1, sender="bob"), line(2, sender="cleo"))
    bob = User.objects.get(external_id="bob")
    remove_participant(membership=membership_of(bob, _talk()), username="bob")
    import_lines(line(3, sender="bob"), line(4, sender="dora"))
    assert _contents()[3:] == ["message 3", "message 4"]
    people = Participant.objects.filter(conversation=_talk()).order_by("pk")
    assert list(people.values_list("user__external_id", "role")) == [
        ("ann", "owner"),
        ("cleo", "member"),
        ("dora", "member"),
    ]


def test_what_was_deleted_here_does_not_come_back(import_lines: Import) -> None:
    lines = [line(0), line(1), line(2, parent_message="talk/0")]
    import_lines(*lines)
    for name in ("talk/1", "talk/0"):
        _delete(name)
    said = import_lines(*lines, line(3))
    assert "Added 1 message to 1 conversation" in said
    assert _contents() == ["(deleted)", "message 2", "message 3"]


def test_what_went_with_an_account_does_not_come_back(import_lines: Import) -> None:
    lines = [line(0), line(1, sender="bob")]
    import_lines(*lines)
    User.objects.get(external_id="ann").delete()
    import_lines(*lines)
    assert _contents() == ["message 1"]
    assert not User.objects.filter(external_id="ann").exists()


def test_a_reply_to_a_tombstone_is_where_it_belongs(import_lines: Import) -> None:
    import_lines(line(0), line(1, parent_message="talk/0"))
    _delete("talk/0")
    # As if what it was called in the file went with it.
    overwrite(Message.objects.filter(sender=None), external_id=None)
    import_lines(line(2, parent_message="talk/0"))
    tombstone = Message.objects.get(sender=None)
    assert _message("talk/2").parent_message == tombstone
    assert tombstone.reply_count == 2


@pytest.mark.parametrize("whole", [True, False])
def test_a_reply_to_what_is_gone_stands_alone_and_is_named(
    import_lines: Import, whole: bool
) -> None:
    known = [line(0), line(1)]
    import_lines(*known)
    _delete("talk/1")
    said = import_lines(*(known if whole else []), line(2, parent_message="talk/1"))
    assert f"may stand alone: line {3 if whole else 1}." in said
    assert _message("talk/2").parent_message is None


def test_what_is_otherwise_here_is_left_and_named(import_lines: Import) -> None:
    import_lines(line(0), line(1), line(2))
    edited = _message("talk/2")
    edit_message(
        message=own_message(
            sender=UserId(edited.sender_id or 0), message_id=MessageId(edited.pk)
        ),
        content="edited here",
    )
    said = import_lines(line(0), line(1, content="edited there"), line(2))
    assert "left as it is: line 2." in said
    assert _contents() == ["message 0", "message 1", "edited here"]


def test_a_message_of_the_future_is_named_and_keeps_nothing_on_top(
    import_lines: Import, make_user: MakeUser
) -> None:
    said = import_lines(line(0, timestamp="2099-01-01T00:00:00.000Z"), line(1))
    assert "yet to come: line 1." in said
    assert _message("talk/0").timestamp == datetime(2099, 1, 1, tzinfo=UTC)
    assert _talk().last_activity_at <= timezone.now()
    assert _talk().created_at <= timezone.now()
    ann, other = User.objects.get(external_id="ann"), make_user("other")
    Message.objects.create(sender=other, receiver=ann, content="now")
    page = conversation_page(reader=UserId(ann.pk), cursor=None, limit=9)
    assert [each.kind for each in page.items] == ["direct", "group"]


@pytest.mark.parametrize("batches", [2, 4])
def test_no_transaction_of_an_import_is_long(
    import_lines: Import, batches: int
) -> None:
    lines = [
        line(0),
        *(line(n, parent_message="talk/0") for n in range(1, batches * BATCH_SIZE)),
    ]
    with watch_transactions() as seen:
        import_lines(*lines)
    # A message, that it was imported, and a few rows of the conversation.
    assert seen.longest < 2 * BATCH_SIZE + 20
    assert exported() == lines
    assert _message("talk/0").reply_count == batches * BATCH_SIZE - 1


def test_an_import_that_broke_off_within_a_conversation_goes_on(
    import_lines: Import, tmp_path: Path
) -> None:
    lines = [
        line(0),
        *(line(n, parent_message="talk/0") for n in range(1, 2 * BATCH_SIZE)),
    ]
    path = write(tmp_path / "whole.jsonl", lines)
    with pytest.raises(ZeroDivisionError), watch_transactions(lambda: 1 / 0):
        run_import(path)
    assert Message.objects.count() == BATCH_SIZE
    said = import_lines(*lines)
    assert f"Added {BATCH_SIZE} messages to 1 conversation" in said
    assert exported() == lines


def test_another_import_of_the_same_file_was_faster(
    import_lines: Import, tmp_path: Path
) -> None:
    lines = [line(0), line(1, parent_message="talk/0"), line(2)]
    path = write(tmp_path / "again.jsonl", [*lines, line(3, parent_message="talk/2")])
    with staging_area() as staging:
        check_file(path, staging, advance=lambda _: None)
        import_lines(*lines)
        made = importing.import_staged(staging, advance=lambda _: None)
    assert (made.conversations, made.messages, made.added) == (0, 0, 1)
    assert exported() == [*lines, line(3, parent_message="talk/2")]
