"""A write that comes between two queries of a read, made to happen each time."""

from functools import partial

from messaging.models import Conversation, Message, User
from tests.conftest import ClientOf, RunBeforeQuery


def _send(group: Conversation, sender: User, content: str) -> Message:
    return Message.objects.create(conversation=group, sender=sender, content=content)


def test_a_page_made_while_someone_writes_is_not_kept_for_later(
    group: Conversation,
    ann: User,
    bob: User,
    client_of: ClientOf,
    run_before_query: RunBeforeQuery,
) -> None:
    """The version is read first: at worst, newer data is kept under an older one."""
    _send(group, ann, "first")
    reader = client_of(bob)
    path = f"/conversations/{group.pk}/messages"
    with run_before_query(
        partial(_send, group, ann, "second"), before='FROM "messaging_message"'
    ):
        reader.get(path)
    after = reader.get(path)
    assert after.headers["X-Cache"] == "miss"
    assert [item["content"] for item in after.items] == ["second", "first"]


def test_what_arrives_while_the_inbox_is_read_stays_unread(
    group: Conversation,
    ann: User,
    bob: User,
    client_of: ClientOf,
    run_before_query: RunBeforeQuery,
) -> None:
    """The clock is read first, so `up_to` covers at most what was shown."""
    _send(group, ann, "seen")
    reader = client_of(bob)
    with run_before_query(
        partial(_send, group, ann, "late"), before='"messaging_notification"'
    ):
        read = reader.get("/inbox")
    reader.put("/inbox/read", {"up_to": read.text("up_to")})
    assert [item["content"] for item in reader.get("/inbox").items] == ["late"]


def test_a_summary_counts_just_what_its_up_to_covers(
    group: Conversation,
    ann: User,
    bob: User,
    client_of: ClientOf,
    run_before_query: RunBeforeQuery,
) -> None:
    _send(group, ann, "seen")
    reader = client_of(bob)
    with run_before_query(
        partial(_send, group, ann, "@bob late"), before='"messaging_notification"'
    ):
        summary = reader.get("/inbox/summary")
    _send(group, ann, "later")
    reader.put("/inbox/read", {"up_to": summary.text("up_to")})
    counts = (summary.number("unread_count"), summary.number("mention_count"))
    assert counts == (2, 1)
    assert [item["content"] for item in reader.get("/inbox").items] == ["later"]
