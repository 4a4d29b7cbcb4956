"""A deletion erases what processes keep of pages and lists that held what was deleted."""

import time
from collections.abc import Iterable
from itertools import chain

import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis import Redis

from messaging import conversation_memory
from messaging.conversation_memory import LASTS_SECONDS, sweep_memories
from messaging.models import Conversation, Message, User
from messaging.services.deletion import delete_account
from tests.conftest import PASSWORD, ClientOf

SECRET = "zeppelin over lakehurst"


def remembered() -> Iterable[bytes]:
    """What this process keeps of conversations."""
    for memory in conversation_memory._memories:
        yield repr(vars(memory)["_kept"]).encode()


def cached() -> Iterable[bytes]:
    """Every entry of the cache, with its key, as it is kept."""
    local = caches["default"]
    if isinstance(local, LocMemCache):
        entries: dict[str, bytes] = vars(local)["_cache"]
        return [key.encode() + value for key, value in entries.items()]
    redis = Redis.from_url(settings.PARLEY_REDIS_URL)
    # Of another type are those that hold keys alone.
    return [
        key + (redis.get(key) or b"") for key in redis.scan_iter("*", _type="STRING")
    ]


def is_cached(text: str) -> bool:
    return any(text.encode() in entry for entry in chain(cached(), remembered()))


def read(client_of: ClientOf, reader: User, conversation: Conversation) -> None:
    """A page and an end of it, of which a conversation has several, and the lists."""
    client_of(reader).get("/conversations")
    browser = Client()
    browser.force_login(reader)
    browser.get("/conversations")
    for query in ("", "?limit=1"):
        page = f"/conversations/{conversation.pk}/messages{query}"
        assert client_of(reader).get(page).status == 200


def test_a_deleted_message_goes_from_every_cached_page(
    client_of: ClientOf,
    ann: User,
    bob: User,
    group: Conversation,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    message = Message.objects.create(sender=ann, conversation=group, content=SECRET)
    elsewhere = Message.objects.create(sender=ann, receiver=bob, content="elsewhere")
    for conversation in (group, elsewhere.conversation):
        read(client_of, bob, conversation)
    assert is_cached(SECRET)
    with django_capture_on_commit_callbacks(execute=True):
        assert client_of(ann).delete(f"/messages/{message.pk}").status == 204
    assert not is_cached(SECRET)
    assert is_cached("elsewhere")


def test_a_deleted_account_goes_from_every_cached_page(
    client_of: ClientOf,
    ann: User,
    bob: User,
    group: Conversation,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    Message.objects.create(sender=ann, conversation=group, content=SECRET)
    direct = Message.objects.create(sender=bob, receiver=ann, content="only for you")
    for conversation in (group, direct.conversation):
        read(client_of, bob, conversation)
    assert is_cached(SECRET)
    assert is_cached("only for you")
    with django_capture_on_commit_callbacks(execute=True):
        delete_account(user=ann, password=PASSWORD)
    for text in (SECRET, "only for you", "Ann"):
        assert not is_cached(text)


def test_what_was_not_deleted_after_all_stays(
    client_of: ClientOf, ann: User, bob: User, group: Conversation
) -> None:
    """Sent when it is committed, which this never is."""
    message = Message.objects.create(sender=ann, conversation=group, content=SECRET)
    read(client_of, bob, group)
    client_of(ann).delete(f"/messages/{message.pk}")
    assert is_cached(SECRET)


@pytest.mark.skipif(
    bool(settings.PARLEY_REDIS_URL), reason="Redis lets go of it by itself"
)
def test_a_page_that_expired_does_not_stay_in_memory(
    client_of: ClientOf,
    ann: User,
    bob: User,
    group: Conversation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another process deleted the message, of which this one gets no signal."""
    Message.objects.create(sender=ann, conversation=group, content=SECRET)
    read(client_of, bob, group)
    sweep_memories()
    assert is_cached(SECRET)
    later = time.monotonic() + LASTS_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    sweep_memories()
    assert not is_cached(SECRET)
