"""How an operation is declared: path, id, answers; the rest follows from the view."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Final, Literal, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.constants import NOT_SET, NOT_SET_TYPE
from ninja.decorators import decorate_view
from ninja.errors import ConfigError, ValidationError
from ninja.operation import Operation
from pydantic import BaseModel

from api.authentication import SERVICE, ServiceAuth
from api.idempotency import HEADER, once
from api.limits import Counted, limited
from api.parsing import Written
from api.problems import Problem
from api.resources import Resource

P = ParamSpec("P")
R = TypeVar("R")

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_ALWAYS: Final = (400, 422, 429, 500, 503)
_WITH_BODY: Final = (413, 415)

_KEYED: Final = {
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


def operation(
    router: Router,
    method: Method,
    path: str,
    operation_id: str,
    answers: Mapping[int, type[BaseModel] | None],
    *,
    refusals: Iterable[int] = (),
    public: bool = False,
    service: bool = False,
    result: Resource | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a view as an operation of the API.

    Its docstring's first line is the summary and the rest the description. To
    `refusals`, the statuses of what its service refuses, those are added that
    come from authentication, limits, parsing and failure. Query parameters that the view
    does not declare are refused. A POST or PATCH of a person says what its `result`
    is, and takes an Idempotency-Key. One that is `public` takes no token, one for a
    `service` only a service's: both hand out secrets, which are not kept to be
    answered again.
    """
    personal = not (public or service)
    if (result is not None) != (method in {"POST", "PATCH"} and personal):
        raise ConfigError(f"{operation_id}: just POST and PATCH have a result")

    def register(view: Callable[P, R]) -> Callable[P, R]:
        summary, _, description = (inspect.getdoc(view) or "").partition("\n")
        statuses = {*refusals, *_ALWAYS}
        if not public:
            statuses.add(401)
        if personal and method != "GET":
            statuses.add(403)
        if "body" in inspect.signature(view).parameters:
            statuses.update(_WITH_BODY)
        if result is not None:
            decorate_view(once(result))(view)
            statuses.add(410)
        decorate_view(limited(_counted(method) if personal else None))(view)
        registered = router.api_operation(
            [method],
            path,
            operation_id=operation_id,
            auth=_authenticator(public=public, service=service),
            response={**answers, **dict.fromkeys(sorted(statuses), Problem)},
            summary=summary.rstrip("."),
            description=description.strip(),
            openapi_extra=None if result is None else _KEYED,
        )(view)
        _refuse_unknown_parameters(registered)
        # Others set headers on a response that ninja completes.
        if "response" not in inspect.signature(view).parameters:
            _render_at_once(registered, answers.get(200))
        return registered

    return register


def _authenticator(*, public: bool, service: bool) -> ServiceAuth | NOT_SET_TYPE | None:
    if public:
        return None
    return SERVICE if service else NOT_SET


def _counted(method: Method) -> Counted:
    return "reads" if method == "GET" else "writes"


def refuse_unknown_parameters(request: HttpRequest, known: Iterable[str]) -> None:
    """Refuse query parameters that would be ignored, or of which all but one would.

    Raises:
        ValidationError: there are such parameters.
    """
    names = frozenset(known)
    wrong = [
        (name, "There is no such parameter." if name not in names else "Given twice.")
        for name, values in request.GET.lists()
        if name not in names or len(values) > 1
    ]
    if wrong:
        raise ValidationError(
            [
                {"type": "unexpected_parameter", "loc": ("query", name), "msg": reason}
                for name, reason in wrong
            ]
        )


def _refuse_unknown_parameters(view: Callable[P, R]) -> None:
    registered: Operation = getattr(view, "_ninja_operation")  # noqa: B009  # set by ninja
    known = [
        name
        for model in registered.models
        if model.__ninja_param_source__ == "query"
        for name in getattr(model, "__ninja_flatten_map__", {})
    ]
    registered.view_func = _checked(registered.view_func, known)


def _render_at_once(view: Callable[P, R], answered: type[BaseModel] | None) -> None:
    """Send JSON as it was written, or as pydantic writes it: ninja would copy it first."""
    registered: Operation = getattr(view, "_ninja_operation")  # noqa: B009  # set by ninja
    run = registered.view_func

    @wraps(run)
    def rendered(*args: P.args, **kwargs: P.kwargs) -> object:
        result = run(*args, **kwargs)
        if isinstance(result, Written):
            return _json(result.json)
        if type(result) is not answered or not isinstance(result, BaseModel):
            return result
        return _json(result.__pydantic_serializer__.to_json(result))

    registered.view_func = rendered


def _json(content: bytes) -> HttpResponse:
    return HttpResponse(content, content_type="application/json; charset=utf-8")


def _checked(view: Callable[P, R], known: Iterable[str]) -> Callable[P, R]:
    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        request = args[0]
        if isinstance(request, HttpRequest):
            refuse_unknown_parameters(request, known)
        return view(*args, **kwargs)

    return checked
