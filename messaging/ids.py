"""Types of ids, so that mypy refuses a message's id in place of a conversation's."""

from typing import Final, NewType

UserId = NewType("UserId", int)
ConversationId = NewType("ConversationId", int)
MessageId = NewType("MessageId", int)
NotificationId = NewType("NotificationId", int)
LookId = NewType("LookId", int)
TokenId = NewType("TokenId", int)
InvitationId = NewType("InvitationId", int)

# A message's number in its conversation: 1, 2, 3 …; numbers of deleted messages are not
# reused.
Sequence = NewType("Sequence", int)

# A reading of the installation's clock, which numbers events: see services/events.py.
Position = NewType("Position", int)

# The largest id, sequence or position that both databases can hold.
MAX_ID: Final = 2**63 - 1
