"""What the domain's tests share."""

import gc
import os

import pytest

from messaging.statements import Statement
from messaging.writes import Update


@pytest.fixture(scope="session", autouse=True)
def _compiled_by_mutants() -> None:
    """A mutant of what composes a query is forked after the query was compiled."""
    if "MUTANT_UNDER_TEST" in os.environ:
        for kept in gc.get_objects():
            if isinstance(kept, Statement | Update):
                kept._compiled.clear()  # nobody else has a reason to
