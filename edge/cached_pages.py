"""The cache keys of each conversation's pages, so that a deletion can evict the pages.

No reader gets an entry of an older version. But it would hold deleted content until it
expires, and in a process's memory until its space is needed.
"""

import time
from collections import OrderedDict
from collections.abc import Collection
from threading import Lock
from typing import Final, Protocol, runtime_checkable

from django.core.cache import cache, caches
from django.dispatch import receiver
from typing_extensions import Unpack

from messaging.erasure import Erasure, erased
from messaging.ids import ConversationId

LASTS_SECONDS: Final = 60
# As many entries as a process's own cache has room for.
_MAX_ENTRIES: Final = 1000


@runtime_checkable
class GroupingCache(Protocol):
    """A cache that all processes share and that can group keys: Redis."""

    def note(self, key: str, *, group: str, timeout: int) -> None: ...

    def forget(self, groups: Collection[str]) -> None: ...


class LocalPages:
    """The cached pages in the memory of this process."""

    def __init__(self) -> None:
        # By key: the conversation, and when the entry expires. Ordered by expiry.
        self._pages: OrderedDict[str, tuple[ConversationId, float]] = OrderedDict()
        self._lock = Lock()

    def note(self, key: str, conversation_id: ConversationId) -> None:
        with self._lock:
            self._pages[key] = (conversation_id, time.monotonic() + LASTS_SECONDS)
            # A renewed entry expires last; `sweep` relies on this order.
            self._pages.move_to_end(key)
        self.sweep()

    def forget(self, conversations: Collection[ConversationId]) -> None:
        with self._lock:
            keys = [
                key
                for key, (conversation, _) in self._pages.items()
                if conversation in conversations
            ]
            for key in keys:
                del self._pages[key]
        cache.delete_many(keys)

    def sweep(self) -> None:
        """Delete expired entries; the cache itself deletes one only when it is requested."""
        now = time.monotonic()
        expired: list[str] = []
        with self._lock:
            while self._pages:
                key, (_, until) = next(iter(self._pages.items()))
                if until > now and len(self._pages) <= _MAX_ENTRIES:
                    break
                del self._pages[key]
                expired.append(key)
        cache.delete_many(expired)


LOCAL_PAGES: Final = LocalPages()


def note_page(key: str, conversation_id: ConversationId) -> None:
    """Record that a cache entry is a page of a conversation."""
    shared = caches["default"]
    if isinstance(shared, GroupingCache):
        shared.note(key, group=_group(conversation_id), timeout=LASTS_SECONDS)
    else:
        LOCAL_PAGES.note(key, conversation_id)


@receiver(erased, dispatch_uid="edge.cached_pages.erased")
def on_erased(**erasure: Unpack[Erasure]) -> None:
    shared = caches["default"]
    if isinstance(shared, GroupingCache):
        shared.forget([_group(pk) for pk in erasure["conversations"]])
    else:
        LOCAL_PAGES.forget(erasure["conversations"])


def _group(conversation_id: ConversationId) -> str:
    return f"pages:{conversation_id}"
