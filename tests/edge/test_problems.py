"""The one table of refusals: each class of the domain's errors, each fault of the edge."""

import pytest

from edge.problems import fault_of
from messaging.errors import DomainError
from tests.problem_table import ERRORS, FAULTS


@pytest.mark.parametrize("kind", ERRORS)
def test_what_is_raised_says_its_own_code(kind: type[DomainError]) -> None:
    """Not an inherited code, which would be the same for two refusals."""
    assert vars(kind)["code"]
    assert 400 <= kind.status < 600


def test_no_two_refusals_share_a_code() -> None:
    codes = [kind.code for kind in ERRORS] + [fault.code for fault in FAULTS]
    assert len(codes) > 50
    assert len(set(codes)) == len(codes)


def test_only_what_is_raised_has_a_code() -> None:
    """A code of several classes would be no name of one refusal."""
    between = {base for kind in ERRORS for base in kind.__mro__[1:]}
    assert not any("code" in vars(base) for base in between)


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not_found"), (403, "forbidden"), (500, "internal_error"), (410, "gone")],
)
def test_an_error_page_has_the_code_of_its_status(status: int, code: str) -> None:
    assert fault_of(status).code == code
