"""Types of the ids, so that a message's cannot pass for a conversation's."""

from typing import Final, NewType

UserId = NewType("UserId", int)
ConversationId = NewType("ConversationId", int)
MessageId = NewType("MessageId", int)
NotificationId = NewType("NotificationId", int)
TokenId = NewType("TokenId", int)

# Place of a message in its conversation: 1, 2, 3 …, never used again.
Sequence = NewType("Sequence", int)

# Reading of the installation's clock: see services/installation.py.
Position = NewType("Position", int)

# The largest id, sequence or position either database can hold.
MAX_ID: Final = 2**63 - 1
