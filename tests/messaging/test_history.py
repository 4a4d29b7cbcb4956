"""What a message said before it was edited."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from messaging.errors import InvalidCursorError, VersionNotFoundError
from messaging.ids import UserId
from messaging.models import Conversation, Message, MessageHistory, User
from messaging.models.messages import CONTENT_MAX_LENGTH
from messaging.projections import UserProjection
from messaging.services.history import (
    DiffOperation,
    Version,
    restore_version,
    version_page,
    word_diff,
)
from messaging.services.messages import delete_message, edit_message
from messaging.services.participants import put_participant, remove_participant
from tests.conftest import MakeUser
from tests.proofs import membership_of, own_of, owned_by, readable_by
from tests.rows import overwrite


def _versions(message: Message, reader: User) -> list[Version]:
    page = version_page(
        message=readable_by(reader, message),
        reader=UserId(reader.pk),
        cursor=None,
        limit=50,
    )
    assert page.next_cursor is None
    return list(page.items)


def _contents(message: Message, reader: User) -> list[tuple[int, str]]:
    return [(entry.version, entry.content) for entry in _versions(message, reader)]


def _edit(message: Message, *contents: str) -> None:
    for content in contents:
        stored = Message.objects.get(pk=message.pk)
        stored.content = content
        stored.save()


def _stored_contents() -> list[str]:
    return list(
        MessageHistory.objects.order_by("version").values_list("old_content", flat=True)
    )


@pytest.mark.parametrize(
    "fields", [None, ["content"], ["content", "edited"], {"content"}, ("content",)]
)
def test_every_way_of_saving_keeps_the_old_content(
    ann: User, message: Message, fields: list[str] | None
) -> None:
    message.content = "hi"
    message.save(update_fields=fields)
    entry = MessageHistory.objects.get()
    assert (entry.message, entry.version, entry.old_content) == (message, 1, "hello")
    assert entry.edited_by == ann
    assert str(entry) == f"version 1 of {message.pk}"
    stored = Message.objects.get()
    assert (stored.content, stored.edited) == ("hi", True)


@pytest.mark.parametrize("fields", [None, ["content"], []])
def test_unchanged_content_writes_no_history(
    message: Message, fields: list[str] | None
) -> None:
    message.save(update_fields=fields)
    assert not MessageHistory.objects.exists()
    assert not Message.objects.get().edited


def test_a_field_that_is_not_saved_writes_no_history(message: Message) -> None:
    message.content = "never saved"
    message.save(update_fields=[])
    assert not MessageHistory.objects.exists()
    assert Message.objects.get().content == "hello"


def test_an_instance_without_its_content_can_be_saved(message: Message) -> None:
    Message.objects.only("conversation", "sender").get().save()
    assert not MessageHistory.objects.exists()
    assert Message.objects.get().content == "hello"


def test_update_or_create_keeps_the_old_content(message: Message) -> None:
    Message.objects.update_or_create(pk=message.pk, defaults={"content": "hi"})
    assert _stored_contents() == ["hello"]


def test_two_who_edit_one_content_keep_both(message: Message) -> None:
    one = Message.objects.get()
    other = Message.objects.get()
    one.content = "one"
    one.save()
    other.content = "other"
    other.save()
    assert _stored_contents() == ["hello", "one"]
    assert Message.objects.get().content == "other"


def test_the_mark_of_an_edit_stays_on_a_stale_save(message: Message) -> None:
    stale = Message.objects.get()
    _edit(message, "one")
    stale.content = "one"
    stale.save()
    assert not stale._state.adding
    assert Message.objects.get().edited
    assert _stored_contents() == ["hello"]


def test_an_edit_back_is_an_edit(message: Message) -> None:
    _edit(message, "hi", "hello")
    assert _stored_contents() == ["hello", "hi"]
    assert Message.objects.get().edited


def test_versions_come_oldest_first_and_the_present_last(
    ann: User, bob: User, message: Message
) -> None:
    _edit(message, "one", "two")
    for reader in (ann, bob):
        assert _contents(message, reader) == [(1, "hello"), (2, "one"), (3, "two")]


def test_a_version_says_who_wrote_it_when(ann: User, message: Message) -> None:
    _edit(message, "one")
    original, present = _versions(message, ann)
    assert (original.edited_at, original.edited_by) == (None, None)
    assert present.edited_at == MessageHistory.objects.get().edited_at
    assert present.edited_by == UserProjection.from_instance(ann)


def test_a_message_never_edited_has_one_version(bob: User, message: Message) -> None:
    (only,) = _versions(message, bob)
    assert only == Version(1, "hello", None, None, None)


def test_a_version_has_a_diff(bob: User, message: Message) -> None:
    _edit(message, "hello you")
    original, present = _versions(message, bob)
    assert original.diff is None
    assert present.diff is not None
    assert [(part.change, part.text) for part in present.diff] == [
        ("same", "hello"),
        ("added", " you"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("", "", []),
        ("a", "a", [("same", "a")]),
        ("a b", "a c", [("same", "a "), ("removed", "b"), ("added", "c")]),
        ("a", "b", [("removed", "a"), ("added", "b")]),
        ("a b c", "a c", [("same", "a "), ("removed", "b "), ("same", "c")]),
        ("wording", "word", [("removed", "wording"), ("added", "word")]),
        (
            "a  b",
            "a b",
            [("same", "a"), ("removed", "  "), ("added", " "), ("same", "b")],
        ),
    ],
)
def test_a_diff_is_of_whole_words(
    old: str, new: str, parts: list[tuple[str, str]]
) -> None:
    assert [(part.change, part.text) for part in word_diff(old, new)] == parts


@pytest.mark.parametrize(
    ("old", "new"),
    [("the quick fox", "a quick, brown fox"), ("x y z", "z y x"), ("a\nb", "b\n a ")],
)
def test_a_diff_holds_both_contents(old: str, new: str) -> None:
    parts = word_diff(old, new)
    assert "".join(p.text for p in parts if p.change != DiffOperation.ADDED) == old
    assert "".join(p.text for p in parts if p.change != DiffOperation.REMOVED) == new


def test_contents_with_little_in_common_are_one_replacement() -> None:
    old, new = "a b " * 1250, "a c " * 1250
    assert [(part.change, part.text) for part in word_diff(old, new)] == [
        ("removed", old),
        ("added", new),
    ]


def _message_with_versions(
    message: Message, reader: User, contents: Iterable[str]
) -> list[Version]:
    """All of a message with these versions, written past the signals: quickly."""
    *old, now = contents
    plain: QuerySet[MessageHistory] = QuerySet(MessageHistory)
    plain.bulk_create(
        MessageHistory(
            message=message,
            conversation_id=message.conversation_id,
            version=number,
            old_content=content,
            edited_by=reader,
        )
        for number, content in enumerate(old, start=1)
    )
    QuerySet(Message).filter(pk=message.pk).update(
        content=now, edited=True, content_version=len(old) + 1
    )
    stored = readable_by(reader, message)
    limit = len(old) + 1
    page = version_page(
        message=stored, reader=UserId(reader.pk), cursor=None, limit=limit
    )
    return [*page.items]


def _diff_pieces(version: Version) -> list[tuple[str, str]]:
    return [(part.change, part.text) for part in version.diff or ()]


@pytest.mark.parametrize("size", [20, 200])
@pytest.mark.parametrize("words", ["ab", "abcdefgh"])
def test_the_work_of_diffs_in_one_page_is_bounded(
    ann: User, message: Message, size: int, words: str
) -> None:
    """Each pair of them costs milliseconds, or has a thousand pieces."""
    choice = Random(size).choice
    lengths = ((5, 480), (1, 2500))
    contents = [
        "".join(f"{choice(words) * length} " for _ in range(count))[:CONTENT_MAX_LENGTH]
        for length, count in lengths
        for _ in range(size // 2)
    ]
    versions = _message_with_versions(message, ann, contents)
    assert len(versions) == size
    for before, after in pairwise(versions):
        assert _joined(after, DiffOperation.ADDED) == before.content
        assert _joined(after, DiffOperation.REMOVED) == after.content
    # However many there are.
    assert sum(len(_diff_pieces(version)) for version in versions) < 2 * size + 3000
    compared = [
        version
        for version in versions
        if len(_diff_pieces(version)) > 2 and version.diff
    ]
    assert len(compared) < 10
    last = versions[-1]
    assert _diff_pieces(last) == [("removed", contents[-2]), ("added", contents[-1])]


def _joined(version: Version, without: DiffOperation) -> str:
    return "".join(
        part.text for part in version.diff or () if part.change is not without
    )


def test_two_hundred_edits_of_a_long_text_are_all_compared(
    ann: User, message: Message
) -> None:
    words = [f"word{number}" for number in range(300)]
    contents = []
    for number in range(200):
        words[number] = f"edit{number}"
        contents.append(" ".join(words))
    versions = _message_with_versions(message, ann, contents)
    assert {len(_diff_pieces(version)) for version in versions[1:]} == {4}


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_of_versions_hold_what_one_page_does(
    bob: User, message: Message, limit: int
) -> None:
    _edit(message, "one", "two", "three")
    found: list[Version] = []
    cursor = None
    while not found or cursor is not None:
        page = version_page(
            message=readable_by(bob, message),
            reader=UserId(bob.pk),
            cursor=cursor,
            limit=limit,
        )
        assert 0 < len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
    assert found == _versions(message, bob)


@pytest.mark.parametrize(
    ("cursor", "error"), [("x", True), ("WyJ2ZXJzaW9ucyIsOTld", False)]
)
def test_a_page_beyond_the_last_version_is_empty(
    bob: User, message: Message, cursor: str, error: bool
) -> None:
    readable = readable_by(bob, message)
    if error:
        with pytest.raises(InvalidCursorError):
            version_page(
                message=readable, reader=UserId(bob.pk), cursor=cursor, limit=5
            )
        return
    page = version_page(message=readable, reader=UserId(bob.pk), cursor=cursor, limit=5)
    assert (page.items, page.next_cursor) == ([], None)


@pytest.fixture
def joined_later(
    ann: User, bob: User, group: Conversation, make_user: MakeUser
) -> tuple[User, Message]:
    """Dora, who joined when bob's message had been edited once, and was then again."""
    message = Message.objects.create(sender=bob, conversation=group, content="zero")
    _edit(message, "one")
    dora = make_user("dora")
    put_participant(group=owned_by(ann, group), username="dora", role="member")
    _edit(message, "two")
    return dora, message


def test_a_later_participant_sees_versions_from_their_joining_on(
    joined_later: tuple[User, Message],
) -> None:
    dora, message = joined_later
    first, present = _versions(message, dora)
    assert (first.version, first.content, first.diff) == (2, "one", None)
    assert (present.version, present.content) == (3, "two")
    assert present.diff is not None


def test_a_clock_that_was_set_back_shows_a_latecomer_nothing_older(
    ann: User, bob: User, group: Conversation, make_user: MakeUser
) -> None:
    message = Message.objects.create(sender=bob, conversation=group, content="zero")
    _edit(message, "one")
    later = timezone.now() + timedelta(hours=1)
    overwrite(MessageHistory.objects.all(), edited_at=later)
    dora = make_user("dora")
    put_participant(group=owned_by(ann, group), username="dora", role="member")
    assert _contents(message, dora) == [(2, "one")]


def test_a_participant_who_was_there_sees_all_versions(
    cleo: User, joined_later: tuple[User, Message]
) -> None:
    _, message = joined_later
    assert _contents(message, cleo) == [(1, "zero"), (2, "one"), (3, "two")]


def test_a_sender_who_came_back_sees_all_of_their_own(
    ann: User, bob: User, group: Conversation, joined_later: tuple[User, Message]
) -> None:
    _, message = joined_later
    remove_participant(membership=membership_of(bob, group), username="bob")
    put_participant(group=owned_by(ann, group), username="bob", role="member")
    assert membership_of(bob, group).joined_at <= timezone.now()
    assert _contents(message, bob) == [(1, "zero"), (2, "one"), (3, "two")]


def test_a_latecomers_cursor_reaches_no_older_version(
    joined_later: tuple[User, Message],
) -> None:
    dora, message = joined_later
    page = version_page(
        message=readable_by(dora, message),
        reader=UserId(dora.pk),
        cursor="WyJ2ZXJzaW9ucyIsMV0",
        limit=5,
    )
    assert [entry.version for entry in page.items] == [2, 3]


def test_a_tombstone_has_no_history(ann: User, bob: User, message: Message) -> None:
    _edit(message, "one")
    Message.objects.create(sender=bob, parent_message=message, content="reply")
    delete_message(message=own_of(ann, message))
    assert _versions(message, bob) == []


def test_restoring_is_a_new_edit(ann: User, message: Message) -> None:
    _edit(message, "one", "two")
    restored = restore_version(message=own_of(ann, message), version=1)
    assert restored.content == "hello"
    assert _contents(message, ann) == [
        (1, "hello"),
        (2, "one"),
        (3, "two"),
        (4, "hello"),
    ]


def test_restoring_what_it_says_changes_nothing(ann: User, message: Message) -> None:
    _edit(message, "one")
    before = Conversation.objects.get().version
    assert restore_version(message=own_of(ann, message), version=2).content == "one"
    assert _stored_contents() == ["hello"]
    assert Conversation.objects.get().version == before


def test_a_version_that_never_existed_is_not_restored(
    ann: User, message: Message
) -> None:
    _edit(message, "one")
    with pytest.raises(VersionNotFoundError):
        restore_version(message=own_of(ann, message), version=3)
    assert Message.objects.get().content == "one"
    assert _stored_contents() == ["hello"]


def test_editing_by_the_service_keeps_the_old_content(
    ann: User, message: Message
) -> None:
    edit_message(message=own_of(ann, message), content="hi")
    assert _stored_contents() == ["hello"]
