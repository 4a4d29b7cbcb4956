"""Holds every refusal that a test meets against what its operation declares."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from api.application import api
from api.operations import DECLARED_ERRORS, Refusal
from edge.problems import NOT_FOUND, Fault

# By method and path, as the document has it.
_OPERATIONS: Final[dict[tuple[str, str], str]] = {
    (method.upper(), path): operation["operationId"]
    for path, operations in api.get_openapi_schema()["paths"].items()
    for method, operation in operations.items()
}


def require_declared(method: str, route: str, code: str) -> None:
    """Fail if an operation answers with a code that it does not declare."""
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    operation = _OPERATIONS.get((method, path))
    if operation is not None:
        declared = {
            each for kind in DECLARED_ERRORS[operation] for each in _codes(kind)
        }
        assert code in declared, f"{operation} declares no {code}"


def _codes(refusal: Refusal) -> Iterator[str]:
    if refusal.status == HTTPStatus.NOT_FOUND:
        # What a write refers to can be deleted at any moment.
        yield NOT_FOUND.code
    if isinstance(refusal, Fault):
        yield refusal.code
        return
    if "code" in vars(refusal):
        yield refusal.code
    for narrower in refusal.__subclasses__():
        yield from _codes(narrower)
