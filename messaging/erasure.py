"""The signal that content was erased.

Its receivers are in layers above the domain: they evict copies of the rows (the page
cache), or clean the files that held them (PostgreSQL's VACUUM).
"""

from typing import Final, TypedDict

from django.dispatch import Signal

from messaging.ids import ConversationId

# Sent after the commit, in the process that erased, and in no other.
erased: Final = Signal()


class Erasure(TypedDict):
    """The arguments of a receiver of `erased`."""

    sender: object
    signal: Signal
    # Conversations whose cached pages may still show the content.
    conversations: frozenset[ConversationId]
    # Whether a whole account was deleted.
    account: bool
