"""What a process keeps of conversations is never stale, and goes with what is deleted."""

import time

import pytest
from django.db import transaction

from messaging.access import membership
from messaging.conversation_memory import LASTS_SECONDS, ConversationMemory, may_keep
from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, Message, User
from messaging.services.summaries import conversation_page, conversation_summary
from messaging.services.users import change_display_name

HERE, THERE = ConversationId(1), ConversationId(2)


@pytest.fixture
def memory() -> ConversationMemory[str, int]:
    memory = ConversationMemory[str, int](most=3)
    memory.keep("one", 1, HERE)
    memory.keep("two", 2, THERE)
    return memory


def kept(memory: ConversationMemory[str, int]) -> list[str]:
    return [key for key in ("one", "two", "three", "four") if memory.get(key)]


def test_a_conversation_is_forgotten_alone(
    memory: ConversationMemory[str, int],
) -> None:
    memory.forget({HERE})
    assert kept(memory) == ["two"]


def test_of_too_many_the_oldest_go(memory: ConversationMemory[str, int]) -> None:
    memory.keep("three", 3, HERE)
    memory.keep("one", 1, HERE)
    memory.keep("four", 4, HERE)
    assert kept(memory) == ["one", "three", "four"]


def test_a_value_lasts_a_minute(
    memory: ConversationMemory[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.sweep()
    assert kept(memory) == ["one", "two"]
    later = time.monotonic() + LASTS_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    memory.sweep()
    assert kept(memory) == []


@pytest.mark.django_db
def test_what_may_be_rolled_back_is_not_kept() -> None:
    assert may_keep()
    with transaction.atomic():
        assert not may_keep()


def _listed(reader: User) -> list[tuple[str, str]]:
    page = conversation_page(reader=UserId(reader.pk), cursor=None, limit=10)
    return [
        (
            each.participant.display_name if each.participant else each.title,
            each.last_message.content if each.last_message else "",
        )
        for each in page.items
    ]


def test_what_is_undone_within_a_transaction_is_known_to_nobody(
    group: Conversation, ann: User, bob: User
) -> None:
    """Another change takes the same version then."""
    message = Message.objects.create(conversation=group, sender=ann, content="first")
    before = _listed(bob)
    with transaction.atomic():
        message.content = "undone"
        message.save()
        assert _listed(bob)[0][1:] == ("undone",)
        transaction.set_rollback(True)
    message.refresh_from_db()
    assert _listed(bob) == before
    message.content = "done"
    message.save()
    assert _listed(bob)[0][1] == "done"


def test_a_summary_without_its_last_message_lets_a_list_have_it(
    group: Conversation, ann: User, bob: User
) -> None:
    Message.objects.create(conversation=group, sender=ann, content="first")
    found = membership(reader=UserId(bob.pk), conversation_id=ConversationId(group.pk))
    conversation_summary(membership=found, last_message=False)
    assert _listed(bob)[0][1] == "first"
    assert conversation_summary(membership=found).last_message is not None


def test_a_new_name_is_listed_at_once(ann: User, bob: User) -> None:
    Message.objects.create(receiver=bob, sender=ann, content="first")
    assert _listed(bob) == [("Ann", "first")]
    change_display_name(user=ann, display_name="Anna")
    assert _listed(bob) == [("Anna", "first")]
