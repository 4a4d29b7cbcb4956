"""What waits for somebody: by conversation and thread, oldest first."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.errors import InvalidCursorError
from messaging.ids import Sequence, UserId
from messaging.models import Conversation, Message, User
from messaging.sequence_ranges import SequenceRange
from messaging.services.catch_up import (
    MOST_OF_ONE,
    CatchUp,
    Shown,
    UnreadConversation,
    catch_up,
)
from messaging.services.conversations import start_group
from messaging.services.inbox import inbox_summary
from messaging.services.messages import delete_message
from messaging.services.notifications import mark_message_unread, mark_ranges_read
from messaging.services.participants import remove_participant, set_muted
from messaging.services.thread_roots import thread_roots
from tests.conftest import MakeUser
from tests.proofs import membership_of, own_of, received_by

pytestmark = pytest.mark.django_db


def _waiting(
    reader: User,
    *,
    show: Shown = Shown.ALL,
    cursor: str | None = None,
    limit: int = 50,
    messages: int = 400,
) -> CatchUp:
    return catch_up(
        reader=UserId(reader.pk),
        show=show,
        cursor=cursor,
        limit=limit,
        messages=messages,
    )


def _shown(page: CatchUp) -> dict[str, list[str]]:
    """The contents of each conversation of a page, by its title or the other's name."""
    return {
        _title(item): [
            each.message.content
            for thread in item.threads
            for each in thread.notifications
        ]
        for item in page.items
    }


def _title(item: UnreadConversation) -> str:
    other = item.conversation.participant
    return item.conversation.title if other is None else other.display_name


def _threads(item: UnreadConversation) -> list[tuple[str | None, list[str]]]:
    return [
        (
            None if thread.root is None else thread.root.content,
            [each.message.content for each in thread.notifications],
        )
        for thread in item.threads
    ]


def _all_pages(reader: User, *, limit: int) -> Iterator[CatchUp]:
    page = _waiting(reader, limit=limit)
    yield page
    while page.next_cursor is not None:
        page = _waiting(reader, limit=limit, cursor=page.next_cursor)
        yield page


def _say(
    sender: User, group: Conversation, content: str, parent: Message | None = None
) -> Message:
    return Message.objects.create(
        sender=sender, conversation=group, content=content, parent_message=parent
    )


def _group(owner: User, title: str) -> Conversation:
    return start_group(owner=owner, title=title, usernames=["bob"]).conversation


def _read(reader: User, message: Message) -> None:
    sequence = Sequence(message.sequence)
    membership = membership_of(reader, message.conversation)
    mark_ranges_read(membership=membership, ranges=[SequenceRange(sequence, sequence)])


def test_nothing_waits_for_whom_nobody_wrote_to(bob: User) -> None:
    found = _waiting(bob)
    assert (found.items, found.next_cursor, found.badge_count) == ([], None, 0)


def test_a_conversation_is_shown_by_threads_oldest_first(
    group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    plan = _say(ann, group, "The plan")
    _read(bob, plan)
    _say(ann, group, "Tea?")
    agreed = _say(cleo, group, "Agreed", plan)
    cake = _say(ann, group, "Cake!")
    _say(ann, group, "Good", agreed)
    _say(cleo, group, "Which?", cake)
    _say(ann, group, "Anyone?")
    (item,) = _waiting(bob).items
    assert _threads(item) == [
        (None, ["Tea?", "Anyone?"]),
        ("The plan", ["Agreed", "Good"]),
        # It is unread itself.
        ("Cake!", ["Cake!", "Which?"]),
    ]
    assert item.conversation.id == group.pk


def test_own_messages_do_not_wait(group: Conversation, ann: User, bob: User) -> None:
    _say(bob, group, "Mine")
    assert _waiting(bob).items == []
    assert _shown(_waiting(ann)) == {"Team": ["Mine"]}


def test_what_was_written_to_somebody_comes_before_what_waits_longer(
    ann: User, bob: User
) -> None:
    noise, asked, answered = (
        _group(ann, title) for title in ("Noise", "Asked", "Answered")
    )
    mine = _say(bob, answered, "Mine")
    for group in (noise, asked, answered):
        _say(ann, group, "Hello")
    later = _group(ann, "Later")
    _say(ann, later, "Hello")
    _say(ann, answered, "Here", mine)
    _say(ann, asked, "@bob?")
    Message.objects.create(sender=ann, receiver=bob, content="Direct")
    titles = [_title(item) for item in _waiting(bob).items]
    assert titles == ["Asked", "Answered", "Ann", "Noise", "Later"]


def test_mentions_and_replies_are_shown_alone(
    group: Conversation, ann: User, bob: User, message: Message
) -> None:
    mine = _say(bob, group, "Mine")
    for content, parent in (("Hello", None), ("@bob?", None), ("Here", mine)):
        _say(ann, group, content, parent)
    counts = (4, 1, 1)
    for show, expected in {
        Shown.ALL: {"Team": ["Hello", "@bob?", "Here"], "Ann": ["hello"]},
        Shown.MENTIONS: {"Team": ["@bob?"]},
        Shown.REPLIES: {"Team": ["Here"]},
    }.items():
        found = _waiting(bob, show=show)
        assert _shown(found) == expected
        assert (found.badge_count, found.mention_count, found.reply_count) == counts
        team = next(item for item in found.items if _title(item) == "Team")
        assert (team.mention_count, team.reply_count) == (1, 1)


def test_of_a_muted_conversation_only_mentions_wait(
    group: Conversation, ann: User, bob: User, message: Message
) -> None:
    mine = _say(bob, group, "Mine")
    for content, parent in (("Hello", None), ("@bob?", None), ("Here", mine)):
        _say(ann, group, content, parent)
    set_muted(membership=membership_of(bob, group), muted=True)
    set_muted(membership=membership_of(bob, message.conversation), muted=True)
    found = _waiting(bob)
    assert _shown(found) == {"Team": ["@bob?"]}
    assert (found.badge_count, found.mention_count, found.reply_count) == (1, 1, 0)
    assert found.badge_count == inbox_summary(reader=UserId(bob.pk)).badge_count
    assert _waiting(bob, show=Shown.REPLIES).items == []


def test_a_busy_conversation_leaves_room_and_leads_to_its_rest(
    group: Conversation, ann: User, bob: User, message: Message
) -> None:
    contents = [f"{number}" for number in range(2 * MOST_OF_ONE + 3)]
    for content in contents:
        _say(ann, group, content)
    page = _waiting(bob)
    assert [_title(item) for item in page.items] == ["Ann", "Team"]
    direct, item = page.items
    assert direct.next_cursor is None
    seen = _shown(page)["Team"]
    assert seen == contents[:MOST_OF_ONE]
    # Arrived since, it is no reason to miss or repeat one.
    _say(ann, group, "new")
    while item.next_cursor is not None:
        rest = _waiting(bob, cursor=item.next_cursor)
        (item,) = rest.items
        assert rest.next_cursor is None
        seen += _shown(rest)["Team"]
    assert seen == [*contents, "new"]


def test_conversations_are_paged_while_some_are_read_and_others_begin(
    ann: User, bob: User
) -> None:
    groups = [_group(ann, f"{number}") for number in range(6)]
    told = [_say(ann, group, "Hello") for group in groups]
    titles: list[str] = []
    for number, page in enumerate(_all_pages(bob, limit=2)):
        assert len(page.items) == 2
        titles += [_title(item) for item in page.items]
        if number == 0:
            _read(bob, told[0])
            _read(bob, told[3])
            _say(ann, _group(ann, "new"), "Hello")
    assert titles == ["0", "1", "2", "4", "5", "new"]


def test_a_page_has_as_many_conversations_as_its_messages_fit(
    ann: User, bob: User
) -> None:
    for number in range(4):
        group = _group(ann, f"{number}")
        for _ in range(10):
            _say(ann, group, "Hello")
    page = _waiting(bob, messages=30)
    assert list(_shown(page)) == ["0", "1", "2"]
    rest = _waiting(bob, messages=30, cursor=page.next_cursor)
    assert list(_shown(rest)) == ["3"]
    # One is shown whatever it takes.
    assert list(_shown(_waiting(bob, messages=1))) == ["0", "1"]


def test_what_is_marked_unread_waits_again_and_who_leaves_has_nothing(
    group: Conversation, ann: User, bob: User
) -> None:
    told = _say(ann, group, "Hello")
    _read(bob, told)
    assert _waiting(bob).items == []
    mark_message_unread(message=received_by(bob, told), reader=UserId(bob.pk))
    assert _shown(_waiting(bob)) == {"Team": ["Hello"]}
    remove_participant(membership=membership_of(bob, group), username="bob")
    assert _waiting(bob).items == []


def test_a_deleted_root_keeps_its_thread_together(
    group: Conversation, ann: User, bob: User
) -> None:
    plan = _say(ann, group, "The plan")
    for content in ("Agreed", "Good"):
        _say(ann, group, content, plan)
    delete_message(message=own_of(ann, plan))
    (item,) = _waiting(bob).items
    (thread,) = item.threads
    assert thread.root is not None
    assert thread.root.deleted
    assert len(thread.notifications) == 2


@pytest.mark.parametrize("cursor", ["x", "WyJjYXRjaF91cCJd"])
def test_a_cursor_of_another_list_is_refused(bob: User, cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        _waiting(bob, cursor=cursor)


def test_the_root_is_found_above_any_number_of_replies(
    group: Conversation, ann: User
) -> None:
    chain = [_say(ann, group, "0")]
    for number in range(1, 60):
        chain.append(_say(ann, group, f"{number}", chain[-1]))
    alone = _say(ann, group, "alone")
    branch = _say(ann, group, "branch", chain[30])
    asked = [chain[0], alone, branch, chain[59], chain[1]]
    roots = thread_roots(messages=[each.projection() for each in asked])
    assert roots == dict.fromkeys((branch.pk, chain[59].pk, chain[1].pk), chain[0].pk)


def test_it_takes_the_same_queries_whatever_waits(
    ann: User, bob: User, make_user: MakeUser
) -> None:
    costs = set()
    for size in (2, 12):
        for number in range(size):
            group = _group(ann, f"{size}-{number}")
            root = _say(ann, group, "Hello")
            for _ in range(size):
                root = _say(ann, group, "@bob", root)
            other = make_user(f"u{size}-{number}")
            Message.objects.create(sender=other, receiver=bob, content="x")
        with CaptureQueriesContext(connection) as queries:
            found = _waiting(bob, limit=200)
        assert found.items
        costs.add(len(queries))
    # The counts, whose they are, the messages, what is above them, the roots, the
    # conversations, what all see of those that are not known, and their last messages.
    assert costs == {8}


def test_what_was_read_is_not_read_again_to_find_what_was_not(
    group: Conversation, ann: User, bob: User
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL chooses by the sizes of tables, which are small here.")
    _say(ann, group, "Hello")
    with CaptureQueriesContext(connection) as queries:
        _waiting(bob)
    statements = [
        each["sql"] for each in queries if "messaging_notification" in each["sql"]
    ]
    unread = [each for each in statements if "messaging_participant" not in each]
    assert len(unread) == 2
    for statement in unread:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            plan = "\n".join(row[-1] for row in cursor.fetchall())
        assert "notification_inbox (user_id=?" in plan, plan
