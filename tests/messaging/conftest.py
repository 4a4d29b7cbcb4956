"""What the domain's tests share."""

import gc
import os
from collections.abc import Callable

import pytest

from messaging.database import CompiledQuery
from messaging.database.writes import CompiledUpdate


@pytest.fixture(scope="session")
def _forget_compiled() -> list[Callable[[], None]]:
    """For each query that is compiled once; all modules are imported by now."""
    return [
        kept._compiled.clear  # nobody else has a reason to
        for kept in gc.get_objects()
        # By its type first: to ask a lazy object that a request left what it is would
        # make it ask the database.
        if issubclass(type(kept), CompiledQuery | CompiledUpdate)
        and isinstance(kept, CompiledQuery | CompiledUpdate)
    ]


@pytest.fixture(autouse=True)
def _compiled_by_mutants(_forget_compiled: list[Callable[[], None]]) -> None:
    """What composes a query counts as run by each test that runs the query.

    A mutant of it is forked after the query was compiled, and tried with those tests.
    """
    if "MUTANT_UNDER_TEST" in os.environ:
        for forget in _forget_compiled:
            forget()
