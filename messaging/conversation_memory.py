"""What this process keeps of conversations for a minute, under their versions.

Every change raises a conversation's version in its own transaction (decision 0004). What
is kept under a version that was just read is therefore as new as that: another state has
another version. A deletion evicts what it deleted, here at once; another process forgets
it within the minute.
"""

import time
from collections import OrderedDict
from collections.abc import Collection, Hashable
from threading import Lock
from typing import Final, Generic, Protocol, TypeVar

from django.db import transaction
from django.dispatch import receiver
from typing_extensions import Unpack

from messaging.erasure import Erasure, erased
from messaging.ids import ConversationId

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LASTS_SECONDS: Final = 60


class _Memory(Protocol):
    def forget(self, conversations: Collection[ConversationId]) -> None: ...

    def sweep(self) -> None: ...

    def clear(self) -> None: ...


class ConversationMemory(Generic[K, V]):
    """Values by keys, each of one conversation; of more than `most` the oldest go."""

    def __init__(self, most: int) -> None:
        self._most = most
        # With its conversation, and when it expires. Ordered by expiry.
        self._kept: OrderedDict[K, tuple[V, ConversationId, float]] = OrderedDict()
        self._lock = Lock()
        _memories.append(self)

    def get(self, key: K) -> V | None:
        kept = self._kept.get(key)
        return None if kept is None else kept[0]

    def keep(self, key: K, value: V, conversation_id: ConversationId) -> None:
        with self._lock:
            until = time.monotonic() + LASTS_SECONDS
            self._kept[key] = (value, conversation_id, until)
            # What is renewed expires last; `sweep` relies on this order.
            self._kept.move_to_end(key)
        self.sweep()

    def forget(self, conversations: Collection[ConversationId]) -> None:
        with self._lock:
            keys = [
                key
                for key, (_, conversation, _) in self._kept.items()
                if conversation in conversations
            ]
            for key in keys:
                del self._kept[key]
        self._drop(keys)

    def sweep(self) -> None:
        """Forget what has expired, and the oldest of too many."""
        now = time.monotonic()
        expired: list[K] = []
        with self._lock:
            while self._kept:
                key, (_, _, until) = next(iter(self._kept.items()))
                if until > now and len(self._kept) <= self._most:
                    break
                del self._kept[key]
                expired.append(key)
        self._drop(expired)

    def clear(self) -> None:
        with self._lock:
            keys = [*self._kept]
            self._kept.clear()
        self._drop(keys)

    def _drop(self, keys: Collection[K]) -> None:
        """Called with the keys that are not kept any more; it does nothing here."""


_memories: Final[list[_Memory]] = []


def sweep_memories() -> None:
    """Forget what has expired; a value leaves by itself only when its space is needed."""
    for memory in _memories:
        memory.sweep()


def clear_memories() -> None:
    for memory in _memories:
        memory.clear()


def may_keep() -> bool:
    """Whether what is read now is committed: else its version may come to mean another state.

    The transaction that a test is run in does not count, as with Django's durable ones.
    """
    blocks = transaction.get_connection().atomic_blocks
    return all(getattr(block, "_from_testcase", False) for block in blocks)


@receiver(erased, dispatch_uid="messaging.conversation_memory.erased")
def on_erased(**erasure: Unpack[Erasure]) -> None:
    for memory in _memories:
        memory.forget(erasure["conversations"])
