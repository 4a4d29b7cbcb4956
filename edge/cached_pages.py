"""The cache keys of each conversation's pages, so that a deletion can evict the pages.

No reader gets an entry of an older version. But it would hold deleted content until it
expires, and in a process's memory until its space is needed.
"""

from collections.abc import Collection
from typing import Final, Protocol, runtime_checkable

from django.core.cache import cache, caches
from django.dispatch import receiver
from typing_extensions import Unpack, override

from messaging.conversation_memory import LASTS_SECONDS, ConversationMemory
from messaging.erasure import Erasure, erased
from messaging.ids import ConversationId

# As many entries as a process's own cache has room for.
_MAX_ENTRIES: Final = 1000


@runtime_checkable
class GroupingCache(Protocol):
    """A cache that all processes share and that can group keys: Redis."""

    def note(self, key: str, *, group: str, timeout: int) -> None: ...

    def forget(self, groups: Collection[str]) -> None: ...


class LocalPages(ConversationMemory[str, None]):
    """The keys of the cached pages in the memory of this process."""

    def note(self, key: str, conversation_id: ConversationId) -> None:
        self.keep(key, None, conversation_id)

    @override
    def _drop(self, keys: Collection[str]) -> None:
        if keys:
            cache.delete_many(keys)


LOCAL_PAGES: Final = LocalPages(_MAX_ENTRIES)


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


def _group(conversation_id: ConversationId) -> str:
    return f"pages:{conversation_id}"
