"""Everything that uses undocumented parts of django-ninja, in one module.

Written for django-ninja 1.7. If an upgrade changes one of these parts, a test of
`tests/api/test_ninja_internals.py` fails and names it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, ParamSpec, Protocol, TypedDict, TypeVar, cast

import pydantic
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.constants import NOT_SET, NOT_SET_TYPE
from ninja.errors import ConfigError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.utils import check_csrf

P = ParamSpec("P")
R = TypeVar("R")

Document = OpenAPISchema
# The value of `auth` with which an operation has the authenticators of the API.
AuthOfTheApi = NOT_SET_TYPE
AUTH_OF_THE_API: Final = NOT_SET

# pydantic puts this before the message of a ValueError that one of our validators
# raises.
_VALIDATOR_PREFIX: Final = "Value error, "


class Run(Protocol):
    """An operation before its parameters are parsed, as `decorate_view` passes it on."""

    def __call__(self, request: HttpRequest, **path: str) -> HttpResponseBase: ...


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """An invalid value: its source (`body`, `query`, `path` or `header`), path and the reason."""

    source: str
    path: tuple[str, ...]
    reason: str


class _Error(TypedDict):
    type: str
    loc: tuple[str | int, ...]
    msg: str


def query_parameters(view: Callable[P, R]) -> frozenset[str]:
    """The names of all query parameters that a registered view declares."""
    return frozenset(
        name
        for model in _operation_of(view).models
        if model.__ninja_param_source__ == "query"
        for name in getattr(model, "__ninja_flatten_map__", {})
    )


def wrap_view(
    view: Callable[P, R], wrapper: Callable[[Callable[P, R]], Callable[P, object]]
) -> None:
    """Wrap the view that ninja calls with parsed parameters."""
    operation = _operation_of(view)
    operation.view_func = wrapper(operation.view_func)


def invalid_values(error: ValidationError) -> list[InvalidValue]:
    return [_invalid_value(each) for each in cast("list[_Error]", error.errors)]


def unexpected_parameters(reasons: dict[str, str]) -> ValidationError:
    """A validation error like ninja's; `reasons` are by the names of query parameters."""
    return ValidationError(
        [
            {"type": "unexpected_parameter", "loc": ("query", name), "msg": reason}
            for name, reason in reasons.items()
        ]
    )


def invalid_path_parameter(
    name: str, error: pydantic.ValidationError
) -> ValidationError:
    """The error that ninja raises for a path parameter that pydantic refuses."""
    return ValidationError(
        [
            {**fault, "loc": ("path", name)}
            for fault in error.errors(include_context=False)
        ]
    )


def parser_error(error: HttpError) -> BaseException | None:
    """The exception of our body parser, which ninja wrapped in this error."""
    return error.__cause__


def passes_csrf(request: HttpRequest) -> bool:
    return check_csrf(request) is None


def _operation_of(view: Callable[P, R]) -> Operation:
    """The operation that ninja made of a view when it was registered."""
    registered: object = getattr(view, "_ninja_operation", None)
    if not isinstance(registered, Operation):
        raise ConfigError("ninja does not keep the operation on its view any more")
    return registered


def _invalid_value(error: _Error) -> InvalidValue:
    source, *path = error["loc"]
    # Drop the name of the view's argument, which clients do not know.
    if path[:1] in (["body"], ["parameters"]):
        path = path[1:]
    return InvalidValue(
        str(source),
        tuple(str(part) for part in path),
        error["msg"].removeprefix(_VALIDATOR_PREFIX),
    )
