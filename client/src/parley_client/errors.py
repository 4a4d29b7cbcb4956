"""The exceptions of the client.

    ParleyError
    ├── NoAnswerError               the server could not be reached, or sent no answer
    ├── UnexpectedAnswerError       the answer is not that of a Parley server
    └── RefusedError                the server refused the request; `code` says why
        ├── BadRequestError         400, 413, 415
        ├── NotAuthenticatedError   401
        ├── ForbiddenError          403
        ├── NotFoundError           404: missing and not visible to you look alike
        ├── ConflictError           409
        ├── GoneError               410
        ├── StaleVersionError       412
        ├── InvalidError            422; `errors` lists the invalid values
        ├── RateLimitedError        429
        └── ServerError             5xx

Below these, each code of the server has its own class. A code that this version of the
client does not know is raised as the class of its status.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar, Final

import httpx
from pydantic import ValidationError
from typing_extensions import override

from parley_client.models import Problem, ProblemError


class ParleyError(Exception):
    """The base of all exceptions that the server is the reason for."""


class NoAnswerError(ParleyError):
    """No answer came, after all attempts: the request may have been executed or not."""


class UnexpectedAnswerError(ParleyError):
    """The answer is neither the expected one nor a problem response: not a Parley server's."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{reason} (status {status})")
        self.status = status


class RefusedError(ParleyError):
    """The server refused the request, with a problem response (RFC 9457)."""

    known_code: ClassVar[str | None] = None
    """The code that is raised as this class; none for those of a status alone."""

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.retry_after = retry_after
        """Seconds after which it is worth another try, if the server said so."""

    @override
    def __init_subclass__(cls, *, code: str | None = None) -> None:
        super().__init_subclass__()
        cls.known_code = code

    @property
    def code(self) -> str:
        """Why the server refused, for programs: a code never changes its meaning."""
        return self.problem.code

    @property
    def status(self) -> int:
        return self.problem.status

    @property
    def request_id(self) -> str:
        """The id of the request in the server's log."""
        return self.problem.request_id

    @property
    def errors(self) -> Sequence[ProblemError]:
        """The invalid values; empty for other refusals."""
        return self.problem.errors

    @override
    def __str__(self) -> str:
        return f"{self.problem.detail} ({self.code}, request {self.request_id})"


class BadRequestError(RefusedError):
    """The server could not read the request."""


class MalformedBodyError(BadRequestError, code="malformed_body"):
    """The body is not valid JSON."""


class UnreadableBodyError(BadRequestError, code="unreadable_body"):
    """The body ended before it was complete."""


class BodyTooLargeError(BadRequestError, code="body_too_large"):
    """The body is larger than the server takes."""


class UnsupportedMediaTypeError(BadRequestError, code="unsupported_media_type"):
    """The body was not sent as JSON."""


class NotAuthenticatedError(RefusedError, code="not_authenticated"):
    """The token is missing, unknown, expired or revoked."""


class SignInFailedError(NotAuthenticatedError, code="sign_in_failed"):
    """The username or the password is wrong, or the account is suspended."""


class ForbiddenError(RefusedError):
    """You may see the object, but not do this with it."""


class CsrfFailedError(ForbiddenError, code="csrf_failed"):
    """A write in a browser session came without its CSRF token."""


class WrongPasswordError(ForbiddenError, code="wrong_password"):
    """The given password is not your current one."""


class OwnPasswordError(ForbiddenError, code="own_password"):
    """The user has a password, so no service may issue tokens for them."""


class NotDeliverableError(ForbiddenError, code="not_deliverable"):
    """One of you blocked the other, or somebody does not let you add them to groups."""


class RegistrationClosedError(ForbiddenError, code="registration_closed"):
    """The server opens no accounts."""


class InviteRequiredError(ForbiddenError, code="invite_required"):
    """The server opens accounts by invitation only."""


class InvalidInviteError(ForbiddenError, code="invalid_invite"):
    """The invite code is unknown, used up, expired or revoked, or not for you."""


class InvalidSetupCodeError(ForbiddenError, code="invalid_setup_code"):
    """It is not the code that the server of an empty installation prints."""


class RightsRequiredError(ForbiddenError, code="rights_required"):
    """Staff without this permission, or not superusers where the account has rights."""


class NotSenderError(ForbiddenError, code="not_sender"):
    """Only who sent a message may change or delete it."""


class NotOwnerError(ForbiddenError, code="not_owner"):
    """Only a group's owner may do this."""


class NotFoundError(RefusedError, code="not_found"):
    """There is no such object, or you may not see it."""


class UserNotFoundError(NotFoundError, code="user_not_found"):
    """No active account has this name."""


class TokenNotFoundError(NotFoundError, code="token_not_found"):
    """You have no such token."""


class ServiceTokenNotFoundError(NotFoundError, code="service_token_not_found"):
    """There is no such service token."""


class SessionNotFoundError(NotFoundError, code="session_not_found"):
    """You have no such browser session."""


class ConversationNotFoundError(NotFoundError, code="conversation_not_found"):
    """There is no such conversation, or you are no participant."""


class ParticipantNotFoundError(NotFoundError, code="participant_not_found"):
    """No participant of the conversation has this username."""


class MessageNotFoundError(NotFoundError, code="message_not_found"):
    """There is no such message, or you may not read it."""


class VersionNotFoundError(NotFoundError, code="version_not_found"):
    """The message has no such version, or you may not read it."""


class InvitationNotFoundError(NotFoundError, code="invitation_not_found"):
    """The group has no such invitation."""


class NotificationNotFoundError(NotFoundError, code="notification_not_found"):
    """You have no such notification."""


class ConflictError(RefusedError):
    """The present state does not allow the request."""


class UsernameTakenError(ConflictError, code="username_taken"):
    """Another account has this username, in this or another case."""


class ExternalIdTakenError(ConflictError, code="external_id_taken"):
    """Another account has this external id."""


class ServiceNameTakenError(ConflictError, code="service_name_taken"):
    """Another service token has this name."""


class AlreadySetUpError(ConflictError, code="already_set_up"):
    """The installation has an account: its first run is over."""


class OwnAccountError(ConflictError, code="own_account"):
    """Administrators do this to others, not to themselves."""


class MessageDeletedError(ConflictError, code="message_deleted"):
    """Only the message's tombstone is left."""


class DirectConversationError(ConflictError, code="direct_conversation"):
    """A direct conversation has no title and no other participants."""


class OwnerRequiredError(ConflictError, code="owner_required"):
    """A group needs an owner: hand the group over first."""


class GroupFullError(ConflictError, code="group_full"):
    """The group has as many participants as the server allows."""


class TooManyBlocksError(ConflictError, code="too_many_blocks"):
    """You block as many people as the server allows."""


class TooManyInvitationsError(ConflictError, code="too_many_invitations"):
    """The group has as many invitations as it may have."""


class TooManyTokensError(ConflictError, code="too_many_tokens"):
    """You have as many tokens as the server allows; the text names the oldest."""


class GoneError(RefusedError):
    """The object existed, but does not any more."""


class ResultGoneError(GoneError, code="result_gone"):
    """An earlier request with the same idempotency key succeeded; its result was deleted since."""


class StaleVersionError(RefusedError, code="stale_version"):
    """The message was changed since you read it; read it again."""


class InvalidError(RefusedError, code="invalid_request"):
    """Some values are not valid; `errors` lists them."""


class InvalidUsernameError(InvalidError, code="invalid_username"):
    """The username is not 1 to 64 ASCII letters, digits and inner dots, hyphens, underscores."""


class InvalidDisplayNameError(InvalidError, code="invalid_display_name"):
    """A display name has 1 to 100 characters, of which at least one is visible."""


class InvalidPasswordError(InvalidError, code="invalid_password"):
    """The password is too short, too common or like the name; `errors` has every reason."""


class UnchangedPasswordError(InvalidError, code="unchanged_password"):
    """The new password is the current one."""


class InvalidServiceNameError(InvalidError, code="invalid_service_name"):
    """A service's name has 1 to 100 characters, of which at least one is visible."""


class InvalidServerNameError(InvalidError, code="invalid_server_name"):
    """A server's name has 1 to 60 characters, of which at least one is visible."""


class InvalidTokenNameError(InvalidError, code="invalid_token_name"):
    """A token's name has at most 100 characters, none of them a control character."""


class InvalidExternalIdError(InvalidError, code="invalid_external_id"):
    """An external id has 1 to 255 characters, of which at least one is visible."""


class InvalidContentError(InvalidError, code="invalid_content"):
    """A content has 1 to 5,000 characters after trimming, of which at least one is visible."""


class InvalidTitleError(InvalidError, code="invalid_title"):
    """A title has 1 to 200 characters, of which at least one is visible."""


class InvalidCursorError(InvalidError, code="invalid_cursor"):
    """The cursor belongs to another list, or is no cursor."""


class SelfMessageError(InvalidError, code="self_message"):
    """You cannot send a direct message to yourself."""


class SelfBlockError(InvalidError, code="self_block"):
    """You cannot block yourself."""


class UnknownParentError(InvalidError, code="unknown_parent"):
    """The message to reply to is not in this conversation."""


class UnknownMemberError(InvalidError, code="unknown_member"):
    """One of these usernames has no active account."""


class WrongReceiverError(InvalidError, code="wrong_receiver"):
    """The receiver is not the other participant of the conversation."""


class OwnMessageError(InvalidError, code="own_message"):
    """You sent the message: your own messages are neither read nor unread."""


class InvalidIdempotencyKeyError(InvalidError, code="invalid_idempotency_key"):
    """An Idempotency-Key is 1 to 255 printable ASCII characters."""


class IdempotencyKeyReusedError(InvalidError, code="idempotency_key_reused"):
    """Another request has used the Idempotency-Key."""


class RateLimitedError(RefusedError, code="rate_limited"):
    """You made too many requests; `retry_after` is the number of seconds to wait."""


class ExportRunningError(RateLimitedError, code="export_running"):
    """You have one export at a time."""


class TooManyStreamsError(RateLimitedError, code="too_many_streams"):
    """You have as many event streams open as the server allows."""


class ServerError(RefusedError):
    """The server failed; it may have executed the request or not."""


class DatabaseUnavailableError(ServerError, code="database_unavailable"):
    """The server's database cannot answer at the moment."""


class OverloadedError(ServerError, code="overloaded"):
    """Too many requests wait at the server; it did not start this one."""


class LimitsUnavailableError(ServerError, code="limits_unavailable"):
    """The server cannot count attempts at the moment, and so refuses them."""


def refusal(response: httpx.Response) -> ParleyError:
    """The exception for a response that is no success."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return UnexpectedAnswerError(response.status_code, "The answer is no problem")
    kind = _BY_CODE.get(problem.code) or _by_status(problem.status)
    return kind(problem, retry_after(response))


def retry_after(response: httpx.Response) -> float | None:
    """The Retry-After header in seconds; a date, which Parley never sends, is ignored."""
    value = header(response, "Retry-After")
    if value is None or not (value.isascii() and value.isdecimal()):
        return None
    return float(value)


def header(response: httpx.Response, name: str) -> str | None:
    return next(iter(response.headers.get_list(name)), None)


def _by_status(status: int) -> type[RefusedError]:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    return _BY_STATUS.get(status, RefusedError)


def _kinds(base: type[RefusedError]) -> list[type[RefusedError]]:
    return [base, *(kind for sub in base.__subclasses__() for kind in _kinds(sub))]


_BY_CODE: Final[Mapping[str, type[RefusedError]]] = MappingProxyType(
    {kind.known_code: kind for kind in _kinds(RefusedError) if kind.known_code}
)

_BY_STATUS: Final[Mapping[int, type[RefusedError]]] = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: BadRequestError,
        HTTPStatus.UNAUTHORIZED: NotAuthenticatedError,
        HTTPStatus.FORBIDDEN: ForbiddenError,
        HTTPStatus.NOT_FOUND: NotFoundError,
        HTTPStatus.CONFLICT: ConflictError,
        HTTPStatus.GONE: GoneError,
        HTTPStatus.PRECONDITION_FAILED: StaleVersionError,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: BadRequestError,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: BadRequestError,
        HTTPStatus.UNPROCESSABLE_ENTITY: InvalidError,
        HTTPStatus.TOO_MANY_REQUESTS: RateLimitedError,
    }
)
