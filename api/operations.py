"""The decorator that declares an operation: path, id and responses.

It derives everything else from the view's signature and docstring.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Final, Literal, ParamSpec, TypedDict, TypeVar

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.decorators import decorate_view
from ninja.errors import ConfigError
from pydantic import BaseModel

from api.authentication import SERVICE, ServiceAuth
from api.idempotency import HEADER, idempotent
from api.limits import Counted, limited
from api.ninja_internals import (
    AUTH_OF_THE_API,
    AuthOfTheApi,
    query_parameters,
    unexpected_parameters,
    wrap_view,
)
from api.parsing import Written
from api.resources import Resource
from edge.problems import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    CSRF_FAILED,
    DATABASE_UNAVAILABLE,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    MALFORMED_BODY,
    NOT_AUTHENTICATED,
    OVERLOADED,
    RESULT_GONE,
    UNREADABLE_BODY,
    UNSUPPORTED_MEDIA_TYPE,
    Fault,
    Problem,
)
from messaging.errors import (
    DomainError,
    InvalidError,
    LimitsUnavailableError,
    RateLimitedError,
)

P = ParamSpec("P")
R = TypeVar("R")

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Refusal = type[DomainError] | Fault

_ALWAYS: Final[tuple[Refusal, ...]] = (
    BAD_REQUEST,
    MALFORMED_BODY,
    UNREADABLE_BODY,
    INVALID_REQUEST,
    InvalidError,
    RateLimitedError,
    INTERNAL_ERROR,
    DATABASE_UNAVAILABLE,
    LimitsUnavailableError,
    OVERLOADED,
)

_IDEMPOTENCY_PARAMETER: Final = {
    "parameters": [
        {
            "in": "header",
            "name": HEADER,
            "required": False,
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": 255,
                "pattern": "^[\\x21-\\x7e]+$",
            },
            "description": "Sent again with the same key within 24 hours, the request is "
            "answered again (`Idempotency-Replayed: true`) and not done again.",
        }
    ]
}

# By operation id: all errors that the operation may answer with.
DECLARED_ERRORS: Final[dict[str, frozenset[Refusal]]] = {}


def operation(
    router: Router,
    method: Method,
    path: str,
    operation_id: str,
    answers: Mapping[int, type[BaseModel] | None],
    *,
    errors: Iterable[type[DomainError]] = (),
    public: bool = False,
    service: bool = False,
    secret: bool = False,
    result: Resource | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a view as an operation of the API.

    The first line of the view's docstring is the summary, the rest the description.
    `errors` are those that its service raises, except for invalid values; errors of
    authentication, limits, parsing and failures are added. Query parameters that the
    view does not declare are refused.

    A POST or PATCH names its `result`, and thereby takes an Idempotency-Key. A `public`
    operation takes no token; an operation for a `service` takes only a service token.
    Both have no `result`, as what answers with a `secret`: these must not be stored.

    Raises:
        ConfigError: a `result` is missing, or given where there must be none.
    """
    personal = not (public or service)
    kept = personal and not secret
    if (result is not None) != (method in {"POST", "PATCH"} and kept):
        raise ConfigError(f"{operation_id}: just POST and PATCH have a result")

    def register(view: Callable[P, R]) -> Callable[P, R]:
        implied = _implied(
            view,
            public=public,
            csrf=personal and method != "GET",
            keyed=result is not None,
        )
        DECLARED_ERRORS[operation_id] = frozenset((*errors, *implied))
        _decorate(view, result, _counted(method) if personal else None)
        registered = router.api_operation(
            [method],
            path,
            operation_id=operation_id,
            auth=_authenticator(public=public, service=service),
            response={**answers, **_problems(DECLARED_ERRORS[operation_id])},
            openapi_extra=None if result is None else _IDEMPOTENCY_PARAMETER,
            **_documentation(view),
        )(view)
        _complete(registered, answers.get(200))
        return registered

    return register


class _Documentation(TypedDict):
    summary: str
    description: str


def _documentation(view: Callable[P, R]) -> _Documentation:
    summary, _, description = (inspect.getdoc(view) or "").partition("\n")
    return {"summary": summary.rstrip("."), "description": description.strip()}


def _decorate(
    view: Callable[P, R], result: Resource | None, counted: Counted | None
) -> None:
    if result is not None:
        # Inside `limited`: a replay counts as a request, too.
        decorate_view(idempotent(result))(view)
    decorate_view(limited(counted))(view)


def _implied(
    view: Callable[P, R], *, public: bool, csrf: bool, keyed: bool
) -> Iterator[Refusal]:
    """The errors that an operation may answer with apart from those of its service."""
    yield from _ALWAYS
    if not public:
        yield NOT_AUTHENTICATED
    if csrf:
        yield CSRF_FAILED
    if keyed:
        yield RESULT_GONE
    if "body" in inspect.signature(view).parameters:
        yield from (BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE)


def _problems(errors: Iterable[Refusal]) -> dict[int, type[BaseModel]]:
    return dict.fromkeys(sorted({int(each.status) for each in errors}), Problem)


def _authenticator(*, public: bool, service: bool) -> ServiceAuth | AuthOfTheApi | None:
    if public:
        return None
    # Service tokens act for no user, so they open only operations that are made for
    # them.
    return SERVICE if service else AUTH_OF_THE_API


def _counted(method: Method) -> Counted:
    return "reads" if method == "GET" else "writes"


def refuse_unknown_parameters(request: HttpRequest, known: Iterable[str]) -> None:
    """Refuse query parameters that the view does not declare, and repeated ones.

    ninja would ignore unknown parameters, and use only one value of a repeated one.

    Raises:
        ValidationError: there are such parameters.
    """
    names = frozenset(known)
    wrong = {
        name: "There is no such parameter." if name not in names else "Given twice."
        for name, values in request.GET.lists()
        if name not in names or len(values) > 1
    }
    if wrong:
        raise unexpected_parameters(wrong)


def _complete(view: Callable[P, R], answered: type[BaseModel] | None) -> None:
    known = query_parameters(view)
    wrap_view(view, lambda run: _checked(run, known))
    # A view that takes a `response` sets headers on it, which only ninja sends.
    if "response" not in inspect.signature(view).parameters:
        wrap_view(view, lambda run: _rendered(run, answered))


def _checked(view: Callable[P, R], known: Iterable[str]) -> Callable[P, R]:
    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        request = args[0]
        if isinstance(request, HttpRequest):
            refuse_unknown_parameters(request, known)
        return view(*args, **kwargs)

    return checked


def _rendered(
    view: Callable[P, R], answered: type[BaseModel] | None
) -> Callable[P, object]:
    """Serialise `Written` JSON or a model at once; ninja would validate and copy it first."""

    @wraps(view)
    def rendered(*args: P.args, **kwargs: P.kwargs) -> object:
        result = view(*args, **kwargs)
        if isinstance(result, Written):
            return _json(result.json)
        if type(result) is not answered or not isinstance(result, BaseModel):
            return result
        return _json(result.__pydantic_serializer__.to_json(result))

    return rendered


def _json(content: bytes) -> HttpResponse:
    return HttpResponse(content, content_type="application/json; charset=utf-8")
