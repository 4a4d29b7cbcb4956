"""Refusals as RFC 9457 problem responses, and the one table that maps them."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, NamedTuple

import orjson
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, Field

from api.preconditions import etag
from api.rate_headers import note
from api.request_ids import request_id
from messaging import errors

CONTENT_TYPE: Final = "application/problem+json"

_STREAMS_RETRY_AFTER: Final = "10"


class ProblemError(BaseModel):
    """One thing that is wrong with the request."""

    source: str = Field(description="`body`, `query`, `path` or `header`.")
    pointer: str = Field(description="JSON pointer to the value within its source.")
    detail: str


class Problem(BaseModel):
    """What every refusal and failure looks like (RFC 9457)."""

    type: str = Field(description="Always `about:blank`: `code` tells problems apart.")
    title: str = Field(description="The status in words.")
    status: int
    code: str = Field(description="Stable, for programs.")
    detail: str = Field(description="For people; may be reworded.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Names the request in the server's log.")
    errors: list[ProblemError] = Field(description="Empty unless values were invalid.")


class Refusal(NamedTuple):
    status: HTTPStatus
    code: str


REFUSALS: Final[Mapping[type[errors.DomainError], Refusal]] = MappingProxyType(
    {
        errors.UserNotFoundError: Refusal(HTTPStatus.NOT_FOUND, "user_not_found"),
        errors.TokenNotFoundError: Refusal(HTTPStatus.NOT_FOUND, "token_not_found"),
        errors.SessionNotFoundError: Refusal(HTTPStatus.NOT_FOUND, "session_not_found"),
        errors.ServiceTokenNotFoundError: Refusal(
            HTTPStatus.NOT_FOUND, "service_token_not_found"
        ),
        errors.ConversationNotFoundError: Refusal(
            HTTPStatus.NOT_FOUND, "conversation_not_found"
        ),
        errors.ParticipantNotFoundError: Refusal(
            HTTPStatus.NOT_FOUND, "participant_not_found"
        ),
        errors.MessageNotFoundError: Refusal(HTTPStatus.NOT_FOUND, "message_not_found"),
        errors.VersionNotFoundError: Refusal(HTTPStatus.NOT_FOUND, "version_not_found"),
        errors.NotificationNotFoundError: Refusal(
            HTTPStatus.NOT_FOUND, "notification_not_found"
        ),
        errors.WrongPasswordError: Refusal(HTTPStatus.FORBIDDEN, "wrong_password"),
        errors.NotDeliverableError: Refusal(HTTPStatus.FORBIDDEN, "not_deliverable"),
        errors.RegistrationClosedError: Refusal(
            HTTPStatus.FORBIDDEN, "registration_closed"
        ),
        errors.InviteRequiredError: Refusal(HTTPStatus.FORBIDDEN, "invite_required"),
        errors.InvalidInviteError: Refusal(HTTPStatus.FORBIDDEN, "invalid_invite"),
        errors.OwnPasswordError: Refusal(HTTPStatus.FORBIDDEN, "own_password"),
        errors.NotSenderError: Refusal(HTTPStatus.FORBIDDEN, "not_sender"),
        errors.NotOwnerError: Refusal(HTTPStatus.FORBIDDEN, "not_owner"),
        errors.UsernameTakenError: Refusal(HTTPStatus.CONFLICT, "username_taken"),
        errors.ExternalIdTakenError: Refusal(HTTPStatus.CONFLICT, "external_id_taken"),
        errors.ServiceNameTakenError: Refusal(
            HTTPStatus.CONFLICT, "service_name_taken"
        ),
        errors.DeletedMessageError: Refusal(HTTPStatus.CONFLICT, "message_deleted"),
        errors.DirectConversationError: Refusal(
            HTTPStatus.CONFLICT, "direct_conversation"
        ),
        errors.OwnerRequiredError: Refusal(HTTPStatus.CONFLICT, "owner_required"),
        errors.GroupFullError: Refusal(HTTPStatus.CONFLICT, "group_full"),
        errors.InvalidUsernameError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_username"
        ),
        errors.InvalidDisplayNameError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_display_name"
        ),
        errors.InvalidPasswordError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_password"
        ),
        errors.InvalidServiceNameError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_service_name"
        ),
        errors.InvalidContentError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_content"
        ),
        errors.InvalidTitleError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_title"
        ),
        errors.InvalidCursorError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_cursor"
        ),
        errors.SelfMessageError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "self_message"
        ),
        errors.SelfBlockError: Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "self_block"),
        errors.UnknownParentError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_parent"
        ),
        errors.UnknownMemberError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_member"
        ),
        errors.WrongReceiverError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "wrong_receiver"
        ),
        errors.InvalidIdempotencyKeyError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_idempotency_key"
        ),
        errors.IdempotencyKeyReusedError: Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused"
        ),
        errors.StaleVersionError: Refusal(
            HTTPStatus.PRECONDITION_FAILED, "stale_version"
        ),
        errors.OwnMessageError: Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "own_message"),
        errors.SignInError: Refusal(HTTPStatus.UNAUTHORIZED, "sign_in_failed"),
        errors.RateLimitedError: Refusal(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited"),
        errors.TooManyStreamsError: Refusal(
            HTTPStatus.TOO_MANY_REQUESTS, "too_many_streams"
        ),
        errors.LimitsUnavailableError: Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE, "limits_unavailable"
        ),
    }
)


def problem_response(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    detail: str,
    errors: Iterable[ProblemError] = (),
) -> HttpResponse:
    problem = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        instance=request.path,
        request_id=request_id(request),
        errors=list(errors),
    )
    response = HttpResponse(
        orjson.dumps(problem.model_dump()), status=status, content_type=CONTENT_TYPE
    )
    response["Cache-Control"] = "no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    return response


def refusal_response(request: HttpRequest, error: errors.DomainError) -> HttpResponse:
    """The problem that tells of a domain error."""
    refusal = REFUSALS[type(error)]
    response = problem_response(
        request,
        status=refusal.status,
        code=refusal.code,
        detail=str(error),
        errors=_errors_of(request, error),
    )
    if isinstance(error, errors.StaleVersionError):
        response["ETag"] = etag(error.message_id, error.current)
    if isinstance(error, errors.TooManyStreamsError):
        response["Retry-After"] = _STREAMS_RETRY_AFTER
    if isinstance(error, errors.RateLimitedError):
        response["Retry-After"] = str(error.reading.resets_in)
        note(request, [error.reading])
    return response


def _errors_of(
    request: HttpRequest, error: errors.DomainError
) -> Iterable[ProblemError]:
    if not isinstance(error, errors.InvalidError):
        return
    source = _source_of(request, error.field)
    reasons = (
        error.reasons
        if isinstance(error, errors.InvalidPasswordError)
        else [str(error)]
    )
    for reason in reasons:
        yield ProblemError(source=source, pointer=f"/{error.field}", detail=reason)


def _source_of(request: HttpRequest, field: str) -> str:
    if field in request.GET:
        return "query"
    if field in request.headers:
        return "header"
    if request.resolver_match is not None and field in request.resolver_match.kwargs:
        return "path"
    return "body"
