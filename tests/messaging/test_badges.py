"""What is unread and calls for attention: all but the muted, and mentions even there."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.ids import Sequence, UserId
from messaging.models import Conversation, Message, User
from messaging.sequence_ranges import SequenceRange
from messaging.services.inbox import inbox_summary
from messaging.services.notifications import mark_ranges_read
from messaging.services.participants import set_muted
from messaging.services.summaries import conversation_page
from tests.conftest import ClientOf
from tests.proofs import membership_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(group: Conversation, ann: User, message: Message) -> Conversation:
    """A group with three unread messages, one of which mentions Bob; he has one elsewhere."""
    for content in ("one", "two @bob", "three"):
        Message.objects.create(conversation=group, sender=ann, content=content)
    return group


def _mute(reader: User, conversation: Conversation, *, muted: bool = True) -> None:
    set_muted(membership=membership_of(reader, conversation), muted=muted)


def _counts(reader: User, conversation: Conversation) -> tuple[int, int, int, int]:
    """Unread and badge over all, and of the conversation."""
    summary = inbox_summary(reader=UserId(reader.pk))
    page = conversation_page(reader=UserId(reader.pk), cursor=None, limit=50)
    (shown,) = [each for each in page.items if each.id == conversation.pk]
    badges = [each.badge_count for each in page.items]
    assert sum(badges) == summary.badge_count
    return (
        *(summary.unread_count, summary.badge_count),
        *(shown.unread_count, shown.badge_count),
    )


def test_without_mute_the_badge_counts_all_that_is_unread(
    busy: Conversation, bob: User
) -> None:
    assert _counts(bob, busy) == (4, 4, 3, 3)


def test_muting_takes_what_was_unread_out_of_the_badge_and_back(
    busy: Conversation, ann: User, bob: User, cleo: User
) -> None:
    _mute(bob, busy)
    assert _counts(bob, busy) == (4, 2, 3, 1)
    Message.objects.create(conversation=busy, sender=ann, content="four")
    assert _counts(bob, busy) == (5, 2, 4, 1)
    # Of one's own alone.
    assert _counts(cleo, busy) == (4, 4, 4, 4)
    _mute(bob, busy, muted=False)
    assert _counts(bob, busy) == (5, 5, 4, 4)


def test_a_mention_that_was_read_is_in_no_badge(busy: Conversation, bob: User) -> None:
    _mute(bob, busy)
    mention = [SequenceRange(Sequence(2), Sequence(2))]
    mark_ranges_read(membership=membership_of(bob, busy), ranges=mention)
    assert _counts(bob, busy) == (3, 1, 2, 0)


def test_a_mention_elsewhere_is_no_badge_here(
    busy: Conversation, ann: User, bob: User, message: Message
) -> None:
    _mute(bob, busy)
    _mute(bob, message.conversation)
    Message.objects.create(sender=ann, receiver=bob, content="@bob?")
    assert _counts(bob, busy) == (5, 2, 3, 1)
    assert _counts(bob, message.conversation) == (5, 2, 2, 1)


def test_the_api_tells_both_numbers_with_one_query(
    busy: Conversation, bob: User, client_of: ClientOf
) -> None:
    _mute(bob, busy)
    as_bob = client_of(bob)
    path = f"/conversations/{busy.pk}"
    for answer in (as_bob.get("/inbox/summary"), as_bob.get(path)):
        assert answer.number("unread_count") > answer.number("badge_count") > 0
    with CaptureQueriesContext(connection) as queries:
        inbox_summary(reader=UserId(bob.pk))
    assert len(queries) == 1


def test_a_muted_conversation_reads_its_own_unread_mentions_alone(
    busy: Conversation, bob: User
) -> None:
    """Else each row of a page would read all unread mentions of its reader."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL chooses by the sizes of tables, which are small here.")
    _mute(bob, busy)
    reader = UserId(bob.pk)
    with CaptureQueriesContext(connection) as queries:
        inbox_summary(reader=reader)
        conversation_page(reader=reader, cursor=None, limit=50)
    counting = [each["sql"] for each in queries if "'mention'" in each["sql"]]
    assert len(counting) == 2
    for statement in counting:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            plan = "\n".join(row[-1] for row in cursor.fetchall())
        assert "notification_mentions (user_id=? AND conversation_id=?" in plan, plan
