"""The errors of the domain, with the only table of their codes and statuses.

Pages, API, OpenAPI document and client follow from it. A code never changes, even if its
class is renamed. A status is one of HTTP's, and all that the domain knows of HTTP.

DomainError
├── NotFoundError            missing or not visible to this reader: they look alike
│   ├── UserNotFoundError
│   ├── TokenNotFoundError
│   ├── SessionNotFoundError
│   ├── ServiceTokenNotFoundError
│   ├── ConversationNotFoundError
│   ├── ParticipantNotFoundError
│   ├── MessageNotFoundError
│   ├── VersionNotFoundError
│   ├── InvitationNotFoundError
│   └── NotificationNotFoundError
├── ForbiddenError           known to the person, but not theirs to do
│   ├── WrongPasswordError
│   ├── NotDeliverableError
│   ├── RegistrationClosedError
│   ├── InviteRequiredError
│   ├── InvalidInviteError
│   ├── InvalidSetupCodeError
│   ├── RightsRequiredError
│   ├── OwnPasswordError
│   ├── NotSenderError
│   └── NotOwnerError
├── ConflictError            right in itself, but not as things stand
│   ├── UsernameTakenError
│   ├── ExternalIdTakenError
│   ├── ServiceNameTakenError
│   ├── AlreadySetUpError
│   ├── OwnAccountError
│   ├── DeletedMessageError
│   ├── DirectConversationError
│   ├── OwnerRequiredError
│   ├── GroupFullError
│   ├── TooManyBlocksError
│   ├── TooManyInvitationsError
│   └── TooManyTokensError
├── StaleVersionError        someone was faster; carries the current version
├── InvalidError             a value that can never be right; names its field
│   ├── InvalidUsernameError
│   ├── InvalidDisplayNameError
│   ├── InvalidPasswordError
│   ├── UnchangedPasswordError
│   ├── InvalidServiceNameError
│   ├── InvalidServerNameError
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
├── SignInError              unknown name, wrong password or suspended: they look alike
├── RateLimitedError         too often; carries what is left of the limit
├── ExportRunningError       a person has one export at a time
├── TooManyStreamsError      more event streams at once than are allowed
└── LimitsUnavailableError   the counters are down, so that nothing can be counted

BackupError and RestoreError are for operators alone: nothing was written.

BypassError is no refusal but a programming error: a write that would bypass history,
counters or notifications.
"""

from http import HTTPStatus
from typing import ClassVar, Final

from messaging.ids import MessageId
from messaging.rates import LimitStatus

# In seconds. A guess: nobody knows when a running export or an open stream will end.
_WHEN_SOMETHING_ENDS: Final = 10


class DomainError(Exception):
    """A rule of the domain refuses a request; `str(error)` is a sentence for people.

    Every class that is raised has its own status and code. `retry_after` is the number
    of seconds after which the request may be accepted, or None if that is not known.
    """

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]
    retry_after: int | None = None


class NotFoundError(DomainError):
    """Missing, or not visible to the user: they look alike, so that ids cannot be probed."""

    status = HTTPStatus.NOT_FOUND


class UserNotFoundError(NotFoundError):
    """No active account has this name."""

    code = "user_not_found"


class TokenNotFoundError(NotFoundError):
    """The caller has no such token."""

    code = "token_not_found"


class SessionNotFoundError(NotFoundError):
    """The caller has no such browser session."""

    code = "session_not_found"


class ServiceTokenNotFoundError(NotFoundError):
    """No service token has this name."""

    code = "service_token_not_found"


class ConversationNotFoundError(NotFoundError):
    """There is no such conversation, or the reader is no participant."""

    code = "conversation_not_found"


class ParticipantNotFoundError(NotFoundError):
    """No participant of the conversation has this name."""

    code = "participant_not_found"


class MessageNotFoundError(NotFoundError):
    """There is no such message, or the reader is no participant of its conversation."""

    code = "message_not_found"


class VersionNotFoundError(NotFoundError):
    """The message has no such version, or the reader may not see it."""

    code = "version_not_found"


class NotificationNotFoundError(NotFoundError):
    """The caller has no such notification."""

    code = "notification_not_found"


class InvitationNotFoundError(NotFoundError):
    """There is no such invitation to the group, or to the server."""

    code = "invitation_not_found"


class ForbiddenError(DomainError):
    """The user may see the object, but may not do this."""

    status = HTTPStatus.FORBIDDEN


class WrongPasswordError(ForbiddenError):
    """The given password is not the user's current one."""

    code = "wrong_password"


class NotDeliverableError(ForbiddenError):
    """One blocked the other, or does not let the other add them; the error does not say which."""

    code = "not_deliverable"


class RegistrationClosedError(ForbiddenError):
    """Only the operator creates accounts on this installation."""

    code = "registration_closed"


class InviteRequiredError(ForbiddenError):
    """An account needs an invite code, and none was given."""

    code = "invite_required"


class InvalidInviteError(ForbiddenError):
    """The code is unknown, expired, used up, revoked or not for this user: these look alike."""

    code = "invalid_invite"


class InvalidSetupCodeError(ForbiddenError):
    """It is not the code that the server of an empty installation prints."""

    code = "invalid_setup_code"


class RightsRequiredError(ForbiddenError):
    """Staff without this permission, or not superusers where the account has rights."""

    code = "rights_required"


class OwnPasswordError(ForbiddenError):
    """The user has a password: a service acts only for users who cannot sign in."""

    code = "own_password"


class NotSenderError(ForbiddenError):
    """Only the sender of a message may change or delete it."""

    code = "not_sender"


class NotOwnerError(ForbiddenError):
    """Only an owner of a group may do this."""

    code = "not_owner"


class ConflictError(DomainError):
    """The present state does not allow it."""

    status = HTTPStatus.CONFLICT


class UsernameTakenError(ConflictError):
    """Another account has this name, in this or another case."""

    code = "username_taken"


class ExternalIdTakenError(ConflictError):
    """Another account has this external id."""

    code = "external_id_taken"


class ServiceNameTakenError(ConflictError):
    """Another service token has this name."""

    code = "service_name_taken"


class AlreadySetUpError(ConflictError):
    """The installation has an account: its first run is over."""

    code = "already_set_up"


class OwnAccountError(ConflictError):
    """Administrators do this to others; to themselves, as everybody, in their settings."""

    code = "own_account"


class DeletedMessageError(ConflictError):
    """The message was deleted; only its tombstone is left."""

    code = "message_deleted"


class DirectConversationError(ConflictError):
    """A direct conversation keeps its two participants, and has no title."""

    code = "direct_conversation"


class OwnerRequiredError(ConflictError):
    """A group needs an owner: its last one has to make another one first."""

    code = "owner_required"


class GroupFullError(ConflictError):
    """The group has as many participants as the installation allows."""

    code = "group_full"


class TooManyBlocksError(ConflictError):
    """The user blocks as many others as the installation allows."""

    code = "too_many_blocks"


class TooManyInvitationsError(ConflictError):
    """The group, or the server, has as many invitations as it may have."""

    code = "too_many_invitations"


class TooManyTokensError(ConflictError):
    """The user has as many access tokens as the installation allows."""

    code = "too_many_tokens"


class StaleVersionError(DomainError):
    """The change was meant for another version of the message."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "stale_version"

    def __init__(self, message: str, *, message_id: MessageId, current: int) -> None:
        super().__init__(message)
        self.message_id = message_id
        self.current = current


class InvalidError(DomainError):
    """A value that is invalid in any state.

    `field` is the name of its argument. `reasons` has a sentence for each rule that it
    breaks.
    """

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field
        self.reasons = [message]


class InvalidUsernameError(InvalidError):
    """The username is not 1 to 64 ASCII letters, digits and inner dots, hyphens, underscores."""

    code = "invalid_username"


class InvalidDisplayNameError(InvalidError):
    """The name is blank, too long, or has characters that a name cannot have."""

    code = "invalid_display_name"


class InvalidPasswordError(InvalidError):
    """The password validators refused it; `reasons` has a sentence from each."""

    code = "invalid_password"

    def __init__(self, reasons: list[str], *, field: str) -> None:
        super().__init__(" ".join(reasons), field=field)
        self.reasons = reasons


class UnchangedPasswordError(InvalidError):
    """The new password is the current one."""

    code = "unchanged_password"


class InvalidServiceNameError(InvalidError):
    """The name is blank or invisible, over 100 characters, or has control characters."""

    code = "invalid_service_name"


class InvalidServerNameError(InvalidError):
    """The name is blank or invisible, over 60 characters, or has control characters."""

    code = "invalid_server_name"


class InvalidTokenNameError(InvalidError):
    """The name has over 100 characters, or some that a name cannot have."""

    code = "invalid_token_name"


class InvalidExternalIdError(InvalidError):
    """The id has over 255 characters, or none that is visible."""

    code = "invalid_external_id"


class InvalidContentError(InvalidError):
    """The content is blank, too long, or has characters that a database cannot hold."""

    code = "invalid_content"


class InvalidTitleError(InvalidError):
    """The title is blank, too long, or has characters that a title cannot have."""

    code = "invalid_title"


class InvalidCursorError(InvalidError):
    """The cursor is not from this server, or belongs to another list."""

    code = "invalid_cursor"


class InvalidIdempotencyKeyError(InvalidError):
    """The key is not 1 to 255 printable ASCII characters."""

    code = "invalid_idempotency_key"


class IdempotencyKeyReusedError(InvalidError):
    """Another request of the user had this key."""

    code = "idempotency_key_reused"


class SelfMessageError(InvalidError):
    """A direct conversation needs two different people."""

    code = "self_message"


class SelfBlockError(InvalidError):
    """A user cannot block themselves."""

    code = "self_block"


class UnknownParentError(InvalidError):
    """The message to reply to is not (or no longer) in this conversation."""

    code = "unknown_parent"


class UnknownMemberError(InvalidError):
    """A username for a new group has no active account."""

    code = "unknown_member"


class WrongReceiverError(InvalidError):
    """The receiver is not the other participant of the conversation."""

    code = "wrong_receiver"


class OwnMessageError(InvalidError):
    """The reader sent the message: their own messages are neither read nor unread."""

    code = "own_message"


class SignInError(DomainError):
    """Unknown name, wrong password or suspended account: these look alike."""

    status = HTTPStatus.UNAUTHORIZED
    code = "sign_in_failed"


class RateLimitedError(DomainError):
    """Too many actions for now: `limit_status` has the limit, and when it resets."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "rate_limited"

    def __init__(self, message: str, *, limit_status: LimitStatus) -> None:
        super().__init__(message)
        self.limit_status = limit_status
        self.retry_after = limit_status.resets_in


class ExportRunningError(DomainError):
    """Another export of the user is still running."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "export_running"
    retry_after = _WHEN_SOMETHING_ENDS


class TooManyStreamsError(DomainError):
    """The user, or the process, has as many event streams open as allowed."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_streams"
    retry_after = _WHEN_SOMETHING_ENDS


class LimitsUnavailableError(DomainError):
    """The counters are down, and without them passwords could be guessed without limit."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "limits_unavailable"
    retry_after = 1


class BackupError(Exception):
    """No backup was written; the message says why."""


class RestoreError(Exception):
    """Nothing was restored; the message says why."""


class BypassError(TypeError):
    """Code tried to bypass the rules for writes; the message names the right way."""
