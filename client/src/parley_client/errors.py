"""What can go wrong, by what it is.

    ParleyError
    ├── NoAnswerError               the server could not be reached, or not heard
    ├── UnexpectedAnswerError       what answered is no Parley server
    └── RefusedError                the server said no; `code` says why
        ├── BadRequestError         400, 413, 415
        ├── NotAuthenticatedError   401
        ├── ForbiddenError          403
        ├── NotFoundError           404: what you may not see is not there either
        ├── ConflictError           409
        ├── GoneError               410
        ├── StaleVersionError       412
        ├── InvalidError            422; `errors` says what is not valid
        ├── RateLimitedError        429
        └── ServerError             5xx

Each of those has a class for every code. A code that this version of the client does
not know is raised as the class of its status.
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
    """Anything that this client raises because of the server."""


class NoAnswerError(ParleyError):
    """No answer came, however often it was tried: whether it was done is unknown."""


class UnexpectedAnswerError(ParleyError):
    """Neither what was asked for nor a problem: something else answers there."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{reason} (status {status})")
        self.status = status


class RefusedError(ParleyError):
    """The server answered with a problem."""

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
        """Stable, for programs."""
        return self.problem.code

    @property
    def status(self) -> int:
        return self.problem.status

    @property
    def request_id(self) -> str:
        """Names the request in the server's log."""
        return self.problem.request_id

    @property
    def errors(self) -> Sequence[ProblemError]:
        """What is not valid; empty for other refusals."""
        return self.problem.errors

    @override
    def __str__(self) -> str:
        return f"{self.problem.detail} ({self.code}, request {self.request_id})"


class BadRequestError(RefusedError):
    """The request could not be read."""


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
    """Name or password is wrong, or the account suspended."""


class ForbiddenError(RefusedError):
    """You see it, and may not do this with it."""


class CsrfFailedError(ForbiddenError, code="csrf_failed"):
    """A write in a browser session came without its CSRF token."""


class WrongPasswordError(ForbiddenError, code="wrong_password"):
    """Your current password is another."""


class OwnPasswordError(ForbiddenError, code="own_password"):
    """The person signs in with a password of their own; a service mints no token."""


class NotDeliverableError(ForbiddenError, code="not_deliverable"):
    """There is a block between you."""


class RegistrationClosedError(ForbiddenError, code="registration_closed"):
    """The server opens no accounts."""


class InviteRequiredError(ForbiddenError, code="invite_required"):
    """The server opens accounts by invitation only."""


class InvalidInviteError(ForbiddenError, code="invalid_invite"):
    """The invite code is unknown, used up or expired."""


class NotSenderError(ForbiddenError, code="not_sender"):
    """Only who sent a message may change or delete it."""


class NotOwnerError(ForbiddenError, code="not_owner"):
    """Only a group's owner may do this."""


class NotFoundError(RefusedError, code="not_found"):
    """There is none, or none that you may see."""


class UserNotFoundError(NotFoundError, code="user_not_found"):
    """No active account has this name."""


class TokenNotFoundError(NotFoundError, code="token_not_found"):
    """You have no such token."""


class ServiceTokenNotFoundError(NotFoundError, code="service_token_not_found"):
    """There is no such service token."""


class SessionNotFoundError(NotFoundError, code="session_not_found"):
    """You have no such browser session."""


class ConversationNotFoundError(NotFoundError, code="conversation_not_found"):
    """There is no such conversation, or you take no part in it."""


class ParticipantNotFoundError(NotFoundError, code="participant_not_found"):
    """Nobody of this name takes part in the conversation."""


class MessageNotFoundError(NotFoundError, code="message_not_found"):
    """There is no such message, or none that you may read."""


class VersionNotFoundError(NotFoundError, code="version_not_found"):
    """The message has no such version, or none that you may read."""


class NotificationNotFoundError(NotFoundError, code="notification_not_found"):
    """You have no such notification."""


class ConflictError(RefusedError):
    """It cannot be done as things are."""


class UsernameTakenError(ConflictError, code="username_taken"):
    """Somebody has this name, in whatever case."""


class ExternalIdTakenError(ConflictError, code="external_id_taken"):
    """Somebody else has this external id."""


class ServiceNameTakenError(ConflictError, code="service_name_taken"):
    """Another service has this name."""


class MessageDeletedError(ConflictError, code="message_deleted"):
    """Only the message's tombstone is left."""


class DirectConversationError(ConflictError, code="direct_conversation"):
    """A direct conversation has no title and no other participants."""


class OwnerRequiredError(ConflictError, code="owner_required"):
    """A group has an owner: hand it over instead."""


class GroupFullError(ConflictError, code="group_full"):
    """The group has as many participants as the server allows."""


class GoneError(RefusedError):
    """It was there, and is no more."""


class ResultGoneError(GoneError, code="result_gone"):
    """The request had succeeded; what it made is gone by now."""


class StaleVersionError(RefusedError, code="stale_version"):
    """The message was changed since you read it; read it again."""


class InvalidError(RefusedError, code="invalid_request"):
    """Some values are not valid; `errors` says which."""


class InvalidUsernameError(InvalidError, code="invalid_username"):
    """No username looks like this."""


class InvalidDisplayNameError(InvalidError, code="invalid_display_name"):
    """1 to 100 characters."""


class InvalidPasswordError(InvalidError, code="invalid_password"):
    """Too short, too common or too much like the name; `errors` has every reason."""


class InvalidServiceNameError(InvalidError, code="invalid_service_name"):
    """No service is called like this."""


class InvalidContentError(InvalidError, code="invalid_content"):
    """1 to 5,000 characters after trimming."""


class InvalidTitleError(InvalidError, code="invalid_title"):
    """1 to 200 characters."""


class InvalidCursorError(InvalidError, code="invalid_cursor"):
    """The cursor is of another list, or none at all."""


class SelfMessageError(InvalidError, code="self_message"):
    """Nobody writes to themselves."""


class SelfBlockError(InvalidError, code="self_block"):
    """Nobody blocks themselves."""


class UnknownParentError(InvalidError, code="unknown_parent"):
    """What is replied to is not in this conversation."""


class UnknownMemberError(InvalidError, code="unknown_member"):
    """No active account has one of these names."""


class WrongReceiverError(InvalidError, code="wrong_receiver"):
    """The message is for someone else of the conversation."""


class OwnMessageError(InvalidError, code="own_message"):
    """Your own messages are neither read nor unread to you."""


class InvalidIdempotencyKeyError(InvalidError, code="invalid_idempotency_key"):
    """1 to 255 printable ASCII characters."""


class IdempotencyKeyReusedError(InvalidError, code="idempotency_key_reused"):
    """The key was used for another request."""


class RateLimitedError(RefusedError, code="rate_limited"):
    """Too many; `retry_after` says when there may be more."""


class TooManyStreamsError(RateLimitedError, code="too_many_streams"):
    """You have as many streams of events open as the server allows."""


class ServerError(RefusedError):
    """The server could not; whether it did is unknown."""


class DatabaseUnavailableError(ServerError, code="database_unavailable"):
    """The server's database cannot answer at the moment."""


class LimitsUnavailableError(ServerError, code="limits_unavailable"):
    """The server cannot count at the moment, and lets nobody in uncounted."""


def refusal(response: httpx.Response) -> ParleyError:
    """What to raise for an answer that is no success."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return UnexpectedAnswerError(response.status_code, "The answer is no problem")
    kind = _BY_CODE.get(problem.code) or _by_status(problem.status)
    return kind(problem, retry_after(response))


def retry_after(response: httpx.Response) -> float | None:
    """In seconds; a date, which Parley does not send, counts as none."""
    value = header(response, "Retry-After")
    return float(value) if value is not None and value.isdecimal() else None


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
