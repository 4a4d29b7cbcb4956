"""The database that speed is measured in is one that could have come about."""

import pytest
from django.db import connection

from bench.dataset import CROWD, LONG, PEOPLE, READER, UNREAD_CONVERSATIONS, fill
from messaging.models import Conversation, Message, Notification
from messaging.services.consistency import find_inconsistencies
from messaging.services.installation import read_clock
from tests.api_client import ApiClient

_UNREAD = 10_000


@pytest.mark.django_db
def test_what_is_filled_in_keeps_every_promise() -> None:
    filled = fill(100, small=12, large=40)
    assert list(find_inconsistencies()) == []
    assert Message.objects.count() == 100 + 13 + 41 + _UNREAD
    assert read_clock() == Message.objects.latest("pk").pk
    # Each message notified the one other person there; what was read is not kept.
    assert Notification.objects.count() == Message.objects.filter(read=False).count()

    reader = ApiClient(filled.reader)
    assert reader.get("/inbox/summary").json == {
        "unread_count": _UNREAD,
        "badge_count": _UNREAD,
        "mention_count": 0,
        "conversation_count": UNREAD_CONVERSATIONS,
        "new_looks": 0,
        "up_to": reader.get("/inbox").text("up_to"),
    }
    page = reader.get(f"/conversations/{LONG}/messages")
    assert [item["sequence"] for item in page.items] == list(range(100, 50, -1))
    thread = reader.get(f"/messages/{filled.large_root}/thread")
    assert thread.number("descendant_count") == 40
    crowd = Conversation.objects.get(pk=CROWD)
    assert crowd.participants.count() == PEOPLE


@pytest.mark.django_db
def test_it_goes_on_as_any_other() -> None:
    """Ids and numbers that are given next are free ones."""
    filled = fill(10, small=1, large=1)
    sent = ApiClient(filled.writer).post(
        f"/conversations/{LONG}/messages", {"content": "next"}
    )
    assert sent.status == 201
    assert sent.number("sequence") == 11
    assert Notification.objects.filter(user=READER, message=sent.number("id")).exists()


@pytest.mark.django_db
def test_only_an_empty_database_is_filled() -> None:
    fill(1, small=1, large=1)
    with pytest.raises(SystemExit, match="not empty"):
        fill(1)
    assert connection.is_usable()
