"""Messages in and out as JSON Lines."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO
from itertools import groupby, islice
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Count, F
from pytest_django import DjangoAssertNumQueries

from messaging.access import own_message
from messaging.ids import MessageId, UserId
from messaging.import_export.errors import FileAccessError
from messaging.import_export.files import replaced_file
from messaging.models import Conversation, Message, Notification, Participant, User
from messaging.services.messages import delete_message
from tests.contract.database_work import count_work
from tests.import_lines import BEGUN, Line, exported, line, run_import, write
from tests.live_server import served_database
from tests.rows import overwrite

REAL_FILE = Path(settings.BASE_DIR).parent / "shared" / "data" / "ubuntu-irc.jsonl.gz"


def by_conversation(lines: Sequence[Line]) -> list[Line]:
    order = list(dict.fromkeys(text["conversation"] for text in lines))
    return sorted(lines, key=lambda text: order.index(text["conversation"]))


def unnamed(lines: Sequence[Line]) -> list[Line]:
    """With tombstones called by their places: of what they were, no id is kept."""
    emptied = [text["id"] for text in lines if text["sender"] is None]
    names = {name: f"tombstone {place}" for place, name in enumerate(emptied)}
    return [
        text
        | {key: names.get(text[key], text[key]) for key in ("id", "parent_message")}
        for text in lines
    ]


# Two conversations, interleaved, with nicknames of every awkward kind, a chain of
# replies, what people type, and a deleted message at the very beginning.
HARD = [
    line(0, sender=None, content=""),
    line(1, sender="Zoë[away]", parent_message="talk/0"),
    line(2, id="walk/1", conversation="walk", sender="bob"),
    line(3, sender="Bob", content="<script>alert('hi')</script> & \\o/ 👋🏽 \x85é"),
    line(4, id="walk/2", conversation="walk", sender="BOB", parent_message="walk/1"),
    line(5, sender="bob-2", parent_message="talk/3"),
    *(line(n, sender="|", parent_message=f"talk/{n - 1}") for n in range(6, 40)),
    line(40, sender="{\\^`}", timestamp="2026-01-31T10:10:00.123456Z"),
    line(41, id="walk/3", conversation="walk", sender=None, content=""),
    line(42, id="walk/4", conversation="walk", parent_message="walk/3"),
]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["talk.jsonl", "talk.jsonl.gz"])
def test_what_was_imported_is_exported_again(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, HARD)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    run_import(path)
    call_command("export_messages", tmp_path / f"again-{name}", stderr=StringIO())
    data = (tmp_path / f"again-{name}").read_bytes()
    text = gzip.decompress(data) if name.endswith(".gz") else data
    again = [json.loads(each) for each in text.splitlines()]
    assert unnamed(again) == unnamed(by_conversation(HARD))


@pytest.mark.django_db
def test_an_import_says_what_it_did(tmp_path: Path) -> None:
    said = run_import(write(tmp_path / "talk.jsonl", HARD))
    assert said == (
        "Read 43 lines; made 2 conversations with 43 messages, "
        "and 8 accounts for people.\n"
    )


@pytest.mark.django_db
def test_messages_get_their_places_replies_and_moments(tmp_path: Path) -> None:
    run_import(write(tmp_path / "talk.jsonl", HARD))
    walk = Conversation.objects.get(external_id="walk")
    assert list(
        walk.messages.order_by("sequence").values_list(
            "sequence", "reply_count", "parent_message__sequence", "edited"
        )
    ) == [(1, 1, None, False), (2, 0, 1, False), (3, 1, None, False), (4, 0, 3, False)]
    assert (walk.kind, walk.title, walk.last_sequence) == ("group", "walk", 4)
    assert walk.created_at == BEGUN + timedelta(minutes=2)
    assert walk.last_activity_at == BEGUN + timedelta(minutes=42)
    assert list(
        walk.participants.order_by("pk").values_list("user__external_id", "role")
    ) == [("bob", "owner"), ("BOB", "member"), ("ann", "member")]
    assert set(walk.participants.values_list("joined_at", flat=True)) == {
        walk.created_at
    }


@pytest.mark.django_db
def test_a_conversation_that_begins_with_a_tombstone_has_an_owner(
    tmp_path: Path,
) -> None:
    run_import(write(tmp_path / "talk.jsonl", HARD))
    first = Message.objects.get(conversation__external_id="talk", sequence=1)
    owner = Participant.objects.get(conversation__external_id="talk", role="owner")
    assert (first.deleted, first.content, first.reply_count) == (True, "", 1)
    assert owner.user.external_id == "Zoë[away]"


@pytest.mark.django_db
def test_no_tombstone_keeps_the_id_of_its_message(tmp_path: Path) -> None:
    """However it came to be one: a product's ids may name whoever wrote it."""
    replies = [line(n + 1, sender="bob", parent_message=f"talk/{n}") for n in (0, 2, 4)]
    lines = [line(0, sender=None, content=""), line(2), line(4, sender="cleo")]
    run_import(write(tmp_path / "talk.jsonl", [*lines, *replies]))
    ann, cleo = (User.objects.get(username=name) for name in ("ann", "cleo"))
    edited = Message.objects.get(external_id="talk/2")
    delete_message(
        message=own_message(sender=UserId(ann.pk), message_id=MessageId(edited.pk))
    )
    cleo.delete()
    tombstones = Message.objects.filter(sender__isnull=True)
    assert list(tombstones.values_list("external_id", flat=True)) == [None] * 3


@pytest.mark.django_db
def test_tombstones_of_before_lose_their_ids(tmp_path: Path) -> None:
    run_import(write(tmp_path / "talk.jsonl", HARD))
    kept = list(
        Message.objects.filter(sender__isnull=False).values_list("pk", "external_id")
    )
    tombstones = Message.objects.filter(sender__isnull=True)
    for number, pk in enumerate(tombstones.values_list("pk", flat=True)):
        overwrite(Message.objects.filter(pk=pk), external_id=f"old/{number}")
    migration = import_module(
        "messaging.migrations.0007_tombstones_keep_no_external_id"
    )
    state = MigrationLoader(connection).project_state()
    migration.forget_external_ids(state.apps, None)
    assert set(tombstones.values_list("external_id", flat=True)) == {None}
    assert kept == list(
        Message.objects.filter(sender__isnull=False).values_list("pk", "external_id")
    )


@pytest.mark.django_db
def test_an_imported_conversation_goes_on(tmp_path: Path) -> None:
    run_import(write(tmp_path / "talk.jsonl", HARD))
    parent = Message.objects.get(external_id="talk/40")
    ids = set(Message.objects.values_list("pk", flat=True))
    reply = Message.objects.create(
        sender=parent.sender, parent_message=parent, content="And on."
    )
    assert reply.pk not in ids
    assert reply.sequence == parent.sequence + 1


@pytest.mark.django_db
def test_people_get_distinct_valid_usernames(tmp_path: Path) -> None:
    run_import(write(tmp_path / "talk.jsonl", HARD))
    people = User.objects.values_list("external_id", "username", "display_name")
    assert {name: (username, shown) for name, username, shown in people} == {
        "Zoë[away]": ("Zoe-away", "Zoë[away]"),
        # Of those that differ in case alone, the first in the file; and whoever is
        # really called bob-2 stays bob-2.
        "bob": ("bob", "bob"),
        "Bob": ("Bob-3", "Bob"),
        "BOB": ("BOB-4", "BOB"),
        "bob-2": ("bob-2", "bob-2"),
        "|": ("person", "|"),
        "{\\^`}": ("person-2", "{\\^`}"),
        "ann": ("ann", "ann"),
    }
    for user in User.objects.all():
        user.full_clean()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("nickname", "username", "display_name"),
    [
        ("-.-", "person", "-.-"),
        ("a" * 63 + "-" + "b" * 40, "a" * 63, "a" * 63 + "-" + "b" * 36),
        ("ann\tof\u202eus", "ann-of-us", "ann of us"),
        ("\u200bAnn\u00a0\u3000Lee\u200e", "Ann-Lee", "Ann Lee"),
        ("A" + "\u0301\u0302" * 9, "A", "person"),
        ("日本", "person", "日本"),
    ],
)
def test_a_nickname_is_made_to_fit(
    tmp_path: Path, nickname: str, username: str, display_name: str
) -> None:
    run_import(write(tmp_path / "talk.jsonl", [line(0, sender=nickname)]))
    user = User.objects.get(external_id=nickname)
    user.full_clean()
    assert (user.username, user.display_name) == (username, display_name)


@pytest.mark.django_db
def test_many_of_one_name_are_numbered(tmp_path: Path) -> None:
    lines = [line(n, sender="|" * (n + 1)) for n in range(120)]
    run_import(write(tmp_path / "talk.jsonl", lines))
    names = User.objects.order_by("pk").values_list("username", flat=True)
    assert list(names) == ["person", *(f"person-{n}" for n in range(2, 121))]


@pytest.mark.django_db
def test_an_account_is_not_taken_for_an_imported_person(
    tmp_path: Path, ann: User
) -> None:
    run_import(write(tmp_path / "talk.jsonl", [line(0, sender="Ann")]))
    assert not ann.sent_messages.exists()
    assert User.objects.get(external_id="Ann").username == "Ann-2"


@pytest.mark.django_db
def test_a_person_of_an_earlier_import_is_the_same(tmp_path: Path) -> None:
    run_import(write(tmp_path / "one.jsonl", [line(0)]))
    User.objects.filter(external_id="ann").update(username="renamed")
    other = line(0, id="walk/0", conversation="walk")
    run_import(write(tmp_path / "two.jsonl", [other]))
    assert User.objects.get().sent_messages.count() == 2


@pytest.mark.django_db
def test_nobody_can_sign_in_to_an_imported_account(tmp_path: Path) -> None:
    run_import(write(tmp_path / "talk.jsonl", [line(0)]))
    assert not User.objects.get().has_usable_password()
    for password in ("", "ann", User.objects.get().password):
        assert authenticate(username="ann", password=password) is None


@pytest.mark.django_db
def test_imported_history_is_no_news(tmp_path: Path) -> None:
    lines = [line(0), line(1, sender="bob", content="Hi @ann", parent_message="talk/0")]
    run_import(write(tmp_path / "talk.jsonl", lines))
    assert not Notification.objects.exists()
    assert not Message.objects.filter(read=False).exists()
    ann = User.objects.get(external_id="ann")
    assert not Message.unread.for_user(ann).exists()


@pytest.mark.django_db
def test_a_group_may_be_larger_than_one_made_here(
    tmp_path: Path,
) -> None:
    count = 1100
    lines = [line(n, sender=f"person {n}") for n in range(count)]
    run_import(write(tmp_path / "talk.jsonl", lines))
    assert Participant.objects.count() == count
    assert exported() == lines


@pytest.mark.django_db
def test_a_title_is_made_to_fit(tmp_path: Path) -> None:
    name = "a\tlong\x07title " * 19
    run_import(write(tmp_path / "talk.jsonl", [line(0, conversation=name)]))
    conversation = Conversation.objects.get(external_id=name)
    conversation.full_clean()
    assert conversation.title.startswith("a long title a long")
    assert len(conversation.title) == 200


@pytest.mark.django_db
def test_content_is_trimmed_and_times_are_kept_as_moments(tmp_path: Path) -> None:
    lines = [
        line(0, content="\r\n  hi\r\n\tyou\n", timestamp="2026-01-31t11:30:00.5+02:00")
    ]
    run_import(write(tmp_path / "talk.jsonl", lines))
    message = Message.objects.get()
    assert message.content == "  hi\n\tyou"
    assert message.timestamp == BEGUN + timedelta(milliseconds=500)


@pytest.mark.django_db
def test_a_byte_order_mark_windows_line_ends_and_blank_lines_are_fine(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "talk.jsonl", [line(0), b"", line(1), b"  "])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    run_import(path)
    assert exported() == [line(0), line(1)]


def without(key: str) -> Line:
    return {name: value for name, value in line(1).items() if name != key}


def raw(**changes: object) -> bytes:
    return json.dumps({**line(1), **changes}).encode()


BAD_LINES = [
    (b"hello", "is no JSON"),
    (b"{", "is no JSON"),
    (b"[]", "is no JSON object"),
    (b'"talk"', "is no JSON object"),
    (b"null", "is no JSON object"),
    (b"\xff\xfe{}", "is no JSON"),
    (b'{"id": "\xff"}', "is no JSON"),
    (b"[" * 100_000, "is no JSON: depth"),
    (raw(content="x" * 10_000_000), "is longer than 1,048,576 bytes"),
    (b" " * 2_000_000 + b"{}", "is longer than 1,048,576 bytes"),
    (json.dumps(without("sender")).encode(), "lacks sender"),
    (json.dumps(without("parent_message")).encode(), "lacks parent_message"),
    (raw(**{"\x1b[2J": 1}), "has unknown keys: '\\x1b[2J'"),
    (raw(receiver="bob"), "has unknown keys: 'receiver'"),
    (raw(id=7), "id is no string"),
    (raw(id=None), "id is no string"),
    (raw(id=""), "id has 0 characters"),
    (raw(id="x" * 256), "id has 256 characters"),
    (raw(id="a\x00b"), "id holds a NUL character"),
    (raw(id="\ud800"), "is no JSON"),
    (raw(id="talk/0"), "has the id of line 1: 'talk/0'"),
    (raw(conversation=""), "conversation has 0 characters"),
    (raw(conversation="x" * 256), "conversation has 256 characters"),
    (raw(conversation="a\x00"), "conversation holds a NUL character"),
    (raw(sender=""), "sender has 0 characters"),
    (raw(sender="x" * 256), "sender has 256 characters"),
    (raw(sender="\x00"), "sender holds a NUL character"),
    (raw(sender=["ann"]), "sender is no string"),
    (raw(content=""), "content is not fit: A message cannot be blank"),
    (raw(content=" \n"), "content is not fit: A message cannot be blank"),
    (raw(content="x" * 5001), "content is not fit: A message has at most 5,000"),
    (raw(content="a\x00b"), "content is not fit: A message cannot hold NUL"),
    (raw(content=None), "content is no string"),
    (raw(sender=None), "has content but no sender"),
    (raw(sender=None, content=""), "has no sender, and no message replies to it"),
    (raw(timestamp=1_700_000_000), "timestamp is no string"),
    (raw(timestamp="2026-01-31T09:30:00"), "timestamp is no RFC 3339 time"),
    (raw(timestamp="2026-01-31"), "timestamp is no RFC 3339 time"),
    (raw(timestamp="20260131T093000Z"), "timestamp is no RFC 3339 time"),
    (raw(timestamp="2026-02-30T09:30:00Z"), "timestamp is no moment"),
    (raw(timestamp="2026-01-31T09:30:00+25:00"), "timestamp is no moment"),
    (raw(timestamp="9999-12-31T23:59:59-01:00"), "timestamp is no moment"),
    (raw(timestamp="0001-01-01T00:00:00+01:00"), "timestamp is no moment"),
    (raw(parent_message=0), "parent_message is no string"),
    (raw(parent_message="talk/1"), "replies to no earlier message"),
    (raw(parent_message="talk/2"), "replies to no earlier message"),
    (raw(parent_message="walk/0"), "replies to no earlier message"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("bad", "reason"), BAD_LINES)
def test_a_bad_line_is_named_and_nothing_is_written(
    tmp_path: Path, bad: bytes, reason: str
) -> None:
    around = [line(0), line(0, id="walk/0", conversation="walk")]
    path = write(tmp_path / "talk.jsonl", [*around, bad, line(2)])
    with pytest.raises(CommandError) as caught:
        run_import(path)
    assert str(caught.value).startswith("Nothing was imported: 1 bad line:\n  line 3 ")
    assert f"line 3 {reason}" in str(caught.value)
    assert not Conversation.objects.exists()
    assert not User.objects.exists()
    said = run_import(path, skip_bad=True)
    assert "Left out 1 bad line:\n  line 3 " in said
    assert exported() == [around[0], line(2), around[1]]


@pytest.mark.django_db
def test_replies_to_a_line_left_out_are_left_out_too(tmp_path: Path) -> None:
    lines = [
        line(0),
        line(1, content=""),
        line(2, parent_message="talk/1"),
        line(3, parent_message="talk/2"),
        # Tombstones above nothing but each other.
        line(4, sender=None, content="", parent_message="talk/0"),
        line(5, sender=None, content="", parent_message="talk/4"),
        line(6, conversation="emptied", parent_message="talk/0"),
    ]
    said = run_import(write(tmp_path / "talk.jsonl", lines), skip_bad=True)
    assert "Left out 6 bad lines:" in said
    assert exported() == [line(0)]
    assert Message.objects.get().reply_count == 0
    assert Conversation.objects.count() == 1


@pytest.mark.django_db
def test_no_more_than_twenty_bad_lines_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "talk.jsonl", [line(0), *([b"{}"] * 25)])
    with pytest.raises(
        CommandError, match=r"25 bad lines:(?s:.*)line 21 (?s:.*)and 5 more"
    ):
        run_import(path)
    with pytest.raises(CommandError) as caught:
        run_import(path)
    assert str(caught.value).count("\n  line ") == 20


@pytest.mark.django_db
def test_an_id_of_another_stored_message_is_refused(tmp_path: Path) -> None:
    run_import(write(tmp_path / "one.jsonl", [line(0)]))
    again = write(tmp_path / "two.jsonl", [line(0, conversation="other")])
    with pytest.raises(CommandError, match="line 1 has the id of a message stored"):
        run_import(again)
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_running_it_again_adds_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "talk.jsonl", HARD)
    run_import(path)
    users = list(User.objects.values_list("pk", "username"))
    said = run_import(path)
    assert "made 0 conversations with 0 messages, and 0 accounts" in said
    assert "Skipped 2 conversations with 43 messages, there already." in said
    assert unnamed(exported()) == unnamed(by_conversation(HARD))
    assert list(User.objects.values_list("pk", "username")) == users


@pytest.mark.django_db
def test_what_was_deleted_since_stays_deleted(tmp_path: Path) -> None:
    path = write(tmp_path / "talk.jsonl", [line(0), line(1)])
    run_import(path)
    message = Message.objects.get(external_id="talk/1")
    ann = User.objects.get()
    delete_message(
        message=own_message(sender=UserId(ann.pk), message_id=MessageId(message.pk))
    )
    run_import(path)
    assert exported() == [line(0)]


THREE = [
    line(n, id=f"{name}/{n}", conversation=name, sender=f"{name}{n}")
    for n in range(3)
    for name in ("first", "second", "third")
]


@contextmanager
def contents_unique() -> Iterator[None]:
    """Let the database refuse to store the same content twice."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX one_of_each ON messaging_message (content)")
        try:
            yield
        finally:
            cursor.execute("DROP INDEX one_of_each")


@pytest.mark.django_db(transaction=True)
def test_a_broken_run_is_resumed(tmp_path: Path) -> None:
    lines = [text | {"content": str(text["id"])} for text in THREE]
    lines[-1]["content"] = "first/0"
    path = write(tmp_path / "three.jsonl", lines)
    with contents_unique(), pytest.raises(CommandError, match="run the import again"):
        run_import(path)
    assert exported() == by_conversation(lines)[:6]
    assert not User.objects.filter(external_id__startswith="third").exists()
    said = run_import(path)
    assert "made 1 conversation with 3 messages, and 3 accounts" in said
    assert exported() == by_conversation(lines)


KILLED_AFTER_SEVEN = """
import os, pathlib, signal, sys, django
django.setup()
from messaging.import_export import checking, importing, staging
def advance(count):
    advance.left -= count
    if advance.left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
advance.left = 7
with staging.staging_area() as area:
    checking.check_file(pathlib.Path(sys.argv[1]), area, advance=lambda _: None)
    importing.import_staged(area, advance=advance)
"""


def python(
    *arguments: str | Path, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, *arguments],
        env={**environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        check=False,
    )


@pytest.mark.django_db
def test_an_import_that_was_killed_is_resumed(tmp_path: Path) -> None:
    path = write(tmp_path / "three.jsonl", THREE)
    with served_database(tmp_path) as environment:

        def export() -> list[Line]:
            run = python("manage.py", "export_messages", environment=environment)
            return [json.loads(text) for text in run.stdout.splitlines()]

        killed = python("-c", KILLED_AFTER_SEVEN, path, environment=environment)
        assert killed.returncode == -signal.SIGKILL
        assert export() == by_conversation(THREE)[:6]
        resumed = python("manage.py", "import_messages", path, environment=environment)
        assert b"made 1 conversation with 3 messages" in resumed.stdout
        assert resumed.stderr == b""
        assert export() == by_conversation(THREE)


@pytest.mark.django_db
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_of_the_export_may_stop_reading(
    unbuffered: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "three.jsonl", THREE)
    reading, writing = os.pipe()
    os.close(reading)
    with served_database(tmp_path) as environment, os.fdopen(writing, "wb") as pipe:
        python("manage.py", "import_messages", path, environment=environment)
        stopped = subprocess.run(
            [sys.executable, "manage.py", "export_messages"],
            env={**environment, "PYTHONUNBUFFERED": unbuffered},
            cwd=settings.BASE_DIR,
            stdout=pipe,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (stopped.returncode, stopped.stderr) == (1, b"")


def missing(path: Path) -> None:
    """Leave it missing."""


def empty(path: Path) -> None:
    path.write_bytes(b"\n \n")


def empty_archive(path: Path) -> None:
    path.write_bytes(gzip.compress(b""))


def directory(path: Path) -> None:
    path.mkdir()


def cut_archive(path: Path) -> None:
    texts = "".join(f"{json.dumps(line(n))}\n" for n in range(2000))
    path.write_bytes(gzip.compress(texts.encode())[:-2000])


def torn_archive(path: Path) -> None:
    path.write_bytes(b"\x1f\x8bnot gzipped at all")


def spoilt_archive(path: Path) -> None:
    data = bytearray(gzip.compress(json.dumps(line(0)).encode() + b"\n"))
    data[-8] ^= 1
    path.write_bytes(data)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (missing, "Cannot read .*No such file"),
        (directory, "is a directory"),
        (empty, "holds no lines"),
        (empty_archive, "holds no lines"),
        (cut_archive, r"damaged after line \d,?\d*: .*ended before"),
        (torn_archive, "Cannot read .*: "),
        (spoilt_archive, "damaged after line 1: CRC check failed"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    make(tmp_path / "talk")
    for skip_bad in (False, True):
        with pytest.raises(CommandError, match=reason):
            run_import(tmp_path / "talk", skip_bad=skip_bad)
    assert not Conversation.objects.exists()


@pytest.mark.django_db
def test_messages_written_here_are_exported_by_number(ann: User, bob: User) -> None:
    first = Message.objects.create(sender=ann, receiver=bob, content="Hi")
    moment = datetime(2026, 3, 1, 8, 0, 0, 250, tzinfo=UTC)
    second = Message.objects.create(
        sender=bob, parent_message=first, content="Hello", timestamp=moment
    )
    assert exported()[1] == {
        "id": f"parley-{second.pk}",
        "conversation": f"parley-{first.conversation_id}",
        "sender": "bob",
        "timestamp": "2026-03-01T08:00:00.000250Z",
        "content": "Hello",
        "parent_message": f"parley-{first.pk}",
    }


@pytest.mark.django_db
def test_people_of_one_name_are_exported_apart(
    tmp_path: Path, ann: User, bob: User
) -> None:
    User.objects.create_user("ann-2")
    lines = [line(0, sender="ann"), line(1, sender="ann-4")]
    run_import(write(tmp_path / "talk.jsonl", lines))
    User.objects.filter(external_id="ann-4").update(username="renamed")
    Message.objects.create(sender=ann, receiver=bob, content="Hi")
    Message.objects.create(sender=bob, receiver=ann, content="Hello")
    senders = [text["sender"] for text in exported()]
    # ann-2 and ann-3 are usernames, ann-4 is the name of someone imported.
    assert senders == ["ann", "ann-4", "ann-5", "bob"]


@pytest.mark.django_db
def test_an_export_goes_conversation_by_conversation(
    ann: User, bob: User, cleo: User
) -> None:
    for receiver in (bob, cleo, bob, cleo):
        Message.objects.create(sender=ann, receiver=receiver, content="Hi")
    names = [text["conversation"] for text in exported()]
    assert names == sorted(names, key=names.index)
    assert len(set(names)) == 2


@pytest.mark.django_db
def test_no_two_messages_or_conversations_are_exported_under_one_name(
    tmp_path: Path, ann: User, bob: User
) -> None:
    native = Message.objects.create(sender=ann, receiver=bob, content="Hi")
    taken = {
        "id": f"parley-{native.pk}",
        "conversation": f"parley-{native.conversation_id}",
    }
    run_import(write(tmp_path / "talk.jsonl", [line(0, **taken)]))
    first, second = exported()
    assert first["id"] == f"parley-2-{native.pk}"
    assert first["conversation"] == f"parley-2-{native.conversation_id}"
    assert second == line(0, **taken)


@pytest.mark.django_db
def test_a_deleted_message_under_replies_is_exported_and_imported_as_such(
    tmp_path: Path, ann: User, bob: User
) -> None:
    root = Message.objects.create(sender=ann, receiver=bob, content="Hi")
    Message.objects.create(sender=bob, parent_message=root, content="Hello")
    delete_message(
        message=own_message(sender=UserId(ann.pk), message_id=MessageId(root.pk))
    )
    lines = exported()
    assert (lines[0]["sender"], lines[0]["content"]) == (None, "")
    renamed = [
        json.loads(json.dumps(text).replace("parley-", "other-")) for text in lines
    ]
    run_import(write(tmp_path / "talk.jsonl", renamed))
    assert unnamed(exported()[2:]) == unnamed(renamed)


@pytest.mark.django_db
@pytest.mark.parametrize("size", [3, 300])
def test_an_export_takes_four_queries_whatever_its_size(
    tmp_path: Path, size: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    lines = [line(n, sender=f"p{n}", conversation=f"c{n % 3}") for n in range(size)]
    run_import(write(tmp_path / "talk.jsonl", lines))
    # Whether generated names are free: of conversations, messages, people. Then all.
    with django_assert_num_queries(4):
        assert exported() == by_conversation(lines)


@pytest.mark.django_db
def test_an_export_to_standard_output(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run_import(write(tmp_path / "talk.jsonl", HARD))
    capsysbinary.readouterr()
    call_command("export_messages")
    said = capsysbinary.readouterr()
    again = [json.loads(text) for text in said.out.splitlines()]
    assert unnamed(again) == unnamed(by_conversation(HARD))
    assert said.err == b"Exported 43 messages of 2 conversations.\n"
    into = StringIO()
    call_command("export_messages", stdout=into, verbosity=0)
    assert into.getvalue() == said.out.decode()
    assert capsysbinary.readouterr().err == b""


@pytest.mark.django_db
def test_an_export_replaces_a_file_for_its_owner_only(tmp_path: Path) -> None:
    run_import(write(tmp_path / "talk.jsonl", [line(0)]))
    target = write(tmp_path / "out.jsonl", [line(1)])
    call_command("export_messages", target, verbosity=0)
    assert json.loads(target.read_bytes()) == line(0)
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_not_completed_changes_nothing(tmp_path: Path) -> None:
    target = write(tmp_path / "out.jsonl", [line(1)])
    before = target.read_bytes()

    def run_out_of_space() -> None:
        with replaced_file(target) as add:
            add(b"half of")
            raise OSError(28, "No space left on device")

    with pytest.raises(FileAccessError, match="No space"):
        run_out_of_space()
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("target", "reason"), [("", "is no file"), ("no/such/out.jsonl", "No such file")]
)
def test_an_export_where_no_file_can_be_is_refused(
    tmp_path: Path, target: str, reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("export_messages", tmp_path / target, verbosity=0)


@pytest.mark.django_db
@pytest.mark.skipif(
    not REAL_FILE.exists(), reason="the real conversations are not here"
)
def test_real_conversations_come_out_as_they_went_in(tmp_path: Path) -> None:
    with gzip.open(REAL_FILE) as file:
        parsed = (json.loads(text) for text in file)
        talks = groupby(parsed, key=lambda text: str(text["conversation"]))
        lines = [text for _, talk in islice(talks, 5) for text in talk]
    run_import(write(tmp_path / "irc.jsonl", lines))
    assert exported() == lines
    assert len(lines) > 5000
    wrong = Message.objects.annotate(counted=Count("replies")).exclude(
        reply_count=F("counted")
    )
    assert not wrong.exists()


@pytest.mark.django_db
def test_an_export_does_no_more_work_for_a_message_the_more_there_are(
    tmp_path: Path, ann: User, bob: User
) -> None:
    """Whether a name is taken is not looked up for each message anew."""
    work = []
    for size in (50, 200):
        names = [f"parley-9{n}" for n in range(10**6, 10**6 + size)]
        named = [line(n, id=name) for n, name in enumerate(names)]
        run_import(write(tmp_path / f"{size}.jsonl", named))
        for _ in range(size):
            Message.objects.create(sender=ann, receiver=bob, content="Hi")
        with count_work() as counted:
            exported()
        work.append(counted.done)
    # The second time there are five times as many messages.
    assert work[1] < 7 * work[0]
