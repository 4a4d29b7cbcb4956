"""What the domain refuses, as types. None of them knows an HTTP status.

DomainError
├── NotFoundError            missing, or not for this reader's eyes: never told apart
│   ├── UserNotFoundError
│   ├── TokenNotFoundError
│   ├── SessionNotFoundError
│   ├── ServiceTokenNotFoundError
│   ├── ConversationNotFoundError
│   ├── ParticipantNotFoundError
│   ├── MessageNotFoundError
│   ├── VersionNotFoundError
│   └── NotificationNotFoundError
├── ForbiddenError           known to the person, but not theirs to do
│   ├── WrongPasswordError
│   ├── NotDeliverableError
│   ├── RegistrationClosedError
│   ├── InviteRequiredError
│   ├── InvalidInviteError
│   ├── OwnPasswordError
│   ├── NotSenderError
│   └── NotOwnerError
├── ConflictError            right in itself, but not as things stand
│   ├── UsernameTakenError
│   ├── ExternalIdTakenError
│   ├── ServiceNameTakenError
│   ├── DeletedMessageError
│   ├── DirectConversationError
│   ├── OwnerRequiredError
│   └── GroupFullError
├── StaleVersionError        someone was faster; carries the current version
├── InvalidError             a value that can never be right; names its field
│   ├── InvalidUsernameError
│   ├── InvalidDisplayNameError
│   ├── InvalidPasswordError
│   ├── InvalidServiceNameError
│   ├── InvalidContentError
│   ├── InvalidTitleError
│   ├── InvalidCursorError
│   ├── SelfMessageError
│   ├── SelfBlockError
│   ├── UnknownParentError
│   ├── UnknownMemberError
│   ├── InvalidIdempotencyKeyError
│   ├── IdempotencyKeyReusedError
│   ├── WrongReceiverError
│   └── OwnMessageError
├── SignInError              unknown name, wrong password or suspended: never told apart
├── RateLimitedError         too often; carries what is left of the limit
├── TooManyStreamsError      more event streams at once than are allowed
└── LimitsUnavailableError   whether it was too often cannot be told

BackupError is for operators alone: no backup was written.

BypassError is no refusal of a person's wish but a programming error: a write
that would go past history, counters or notifications.
"""

from messaging.ids import MessageId
from messaging.rates import Reading


class DomainError(Exception):
    """A rule of the domain says no; `str(error)` is fit for people to read."""


class NotFoundError(DomainError):
    """Missing and forbidden look alike, so that ids cannot be probed."""


class UserNotFoundError(NotFoundError):
    """No active account has this name."""


class TokenNotFoundError(NotFoundError):
    """The caller has no such token."""


class SessionNotFoundError(NotFoundError):
    """The caller is signed in to no such browser."""


class ServiceTokenNotFoundError(NotFoundError):
    """No service token has this name."""


class ConversationNotFoundError(NotFoundError):
    """No such conversation, or the reader takes no part in it."""


class ParticipantNotFoundError(NotFoundError):
    """Nobody of this name takes part in the conversation."""


class MessageNotFoundError(NotFoundError):
    """No such message, or the reader takes no part in its conversation."""


class VersionNotFoundError(NotFoundError):
    """The message has no such version, or none this reader may see."""


class NotificationNotFoundError(NotFoundError):
    """The caller has no such notification."""


class ForbiddenError(DomainError):
    """The person may know of it, but may not do this."""


class WrongPasswordError(ForbiddenError):
    """The current password was not this one."""


class NotDeliverableError(ForbiddenError):
    """One of the two blocked the other; whose block it is stays unsaid."""


class RegistrationClosedError(ForbiddenError):
    """Only the operator opens accounts here."""


class InviteRequiredError(ForbiddenError):
    """Accounts are opened with an invite code only, and there was none."""


class InvalidInviteError(ForbiddenError):
    """The code is unknown, expired or used up: never told apart."""


class OwnPasswordError(ForbiddenError):
    """A service acts only for people who cannot sign in by themselves."""


class NotSenderError(ForbiddenError):
    """Only who sent a message may change or delete it."""


class NotOwnerError(ForbiddenError):
    """Only the owner of a group may do this."""


class ConflictError(DomainError):
    """Not possible in the present state."""


class UsernameTakenError(ConflictError):
    """Another account has this name, in this or another case."""


class ExternalIdTakenError(ConflictError):
    """Another account has this external id."""


class ServiceNameTakenError(ConflictError):
    """Another service token has this name."""


class DeletedMessageError(ConflictError):
    """The message was deleted; only its place in the tree is left."""


class DirectConversationError(ConflictError):
    """A direct conversation has the same two people forever, and no title."""


class OwnerRequiredError(ConflictError):
    """A group has an owner: hand it over instead."""


class GroupFullError(ConflictError):
    """The group has as many participants as the installation allows."""


class StaleVersionError(DomainError):
    """The message is at another version than the change was meant for."""

    def __init__(self, message: str, *, message_id: MessageId, current: int) -> None:
        super().__init__(message)
        self.message_id = message_id
        self.current = current


class InvalidError(DomainError):
    """A value that no state would make right.

    `field` is the name of the argument it came in.
    """

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidUsernameError(InvalidError):
    """Not 1 to 64 ASCII letters, digits and inner dots, hyphens, underscores."""


class InvalidDisplayNameError(InvalidError):
    """Blank, too long, or with characters a name cannot hold."""


class InvalidPasswordError(InvalidError):
    """Refused by the password validators; `reasons` has a sentence from each."""

    def __init__(self, reasons: list[str], *, field: str) -> None:
        super().__init__(" ".join(reasons), field=field)
        self.reasons = reasons


class InvalidServiceNameError(InvalidError):
    """Not 1 to 100 printable characters."""


class InvalidContentError(InvalidError):
    """Blank, too long, or with characters a database cannot hold."""


class InvalidTitleError(InvalidError):
    """Blank, too long, or with characters a title cannot hold."""


class InvalidCursorError(InvalidError):
    """Made by nobody here, or for another list."""


class InvalidIdempotencyKeyError(InvalidError):
    """Not 1 to 255 printable ASCII characters."""


class IdempotencyKeyReusedError(InvalidError):
    """The key was given to another write before."""


class SelfMessageError(InvalidError):
    """A direct conversation takes two different people."""


class SelfBlockError(InvalidError):
    """Blocking takes two different people."""


class UnknownParentError(InvalidError):
    """The message replied to is not, or no longer, in this conversation."""


class UnknownMemberError(InvalidError):
    """Someone named as participant has no active account."""


class WrongReceiverError(InvalidError):
    """The receiver is not the other person of the conversation."""


class OwnMessageError(InvalidError):
    """One's own messages are neither read nor unread to oneself."""


class SignInError(DomainError):
    """Unknown name, wrong password or suspended account, never told apart."""


class RateLimitedError(DomainError):
    """Too often for now: `reading` says of which limit, and until when."""

    def __init__(self, message: str, *, reading: Reading) -> None:
        super().__init__(message)
        self.reading = reading


class TooManyStreamsError(DomainError):
    """As many event streams are open as a person, or a process, may have."""


class LimitsUnavailableError(DomainError):
    """What must be counted cannot be: guessing would have no limit."""


class BackupError(Exception):
    """No backup was written; the message says why."""


class BypassError(TypeError):
    """Code tried to write past the rules; the message names the right way."""
