"""What operations declare that they refuse; `tests/api_client.py` holds answers against it."""

import pytest

from api.operations import DECLARED_ERRORS
from messaging.errors import (
    AlreadySetUpError,
    DomainError,
    InvalidSetupCodeError,
    OwnAccountError,
    RightsRequiredError,
    ServiceNameTakenError,
    ServiceTokenNotFoundError,
    SessionNotFoundError,
)
from tests.contract.document import Operation, operations
from tests.problem_table import ERRORS

# Refused by commands and by pages, for which there is no operation.
ELSEWHERE = {
    AlreadySetUpError,
    InvalidSetupCodeError,
    OwnAccountError,
    RightsRequiredError,
    ServiceNameTakenError,
    ServiceTokenNotFoundError,
    SessionNotFoundError,
}


def test_what_the_domain_refuses_is_declared_where_it_can_be_met() -> None:
    declared = {
        kind
        for refusals in DECLARED_ERRORS.values()
        for kind in refusals
        if isinstance(kind, type)
    }
    met = {kind for kind in ERRORS if issubclass(kind, tuple(declared))}
    assert set(ERRORS) - met == ELSEWHERE


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
def test_the_document_has_the_statuses_of_what_is_declared(
    operation: Operation,
) -> None:
    declared = {int(kind.status) for kind in DECLARED_ERRORS[operation.id]}
    assert {status for status in operation.statuses if status >= 400} == declared


def test_a_class_that_is_not_raised_itself_declares_those_below_it() -> None:
    """So that a new value that is refused needs no declaration of its own."""
    for refusals in DECLARED_ERRORS.values():
        for kind in refusals:
            if isinstance(kind, type) and "code" not in vars(kind):
                assert issubclass(kind, DomainError)
                assert kind.__subclasses__()
