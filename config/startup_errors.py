"""Startup errors: a line on standard error for each fault, and an exit status other than 0.

No line quotes the value of a variable, which may be a secret.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# By pydantic's type of an error: the values that the variable takes. pydantic's own
# messages quote the value.
_TAKES: Final = {
    "bool_parsing": "true or false",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number from {ge}",
    "less_than_equal": "a number up to {le}",
    "literal_error": "{expected}",
}


class StartError(Exception):
    """The process must not start, for these reasons."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@contextmanager
def reporting_start_errors() -> Iterator[None]:
    """In the `with`, a StartError ends the process with its faults on standard error."""
    try:
        yield
    except StartError as error:
        refuse(error.faults)


def refuse(faults: tuple[str, ...]) -> NoReturn:
    sys.exit("\n".join(f"parley: {one_line(fault)}" for fault in faults))


def warn(text: str) -> None:
    """Print a warning on standard error; the start goes on."""
    sys.stderr.write(f"parley: warning: {one_line(text)}\n")


def one_line(text: str) -> str:
    return " ".join(text.split())


def invalid(error: ValidationError, model: type[BaseModel]) -> StartError:
    """The error that tells which variables are invalid, and which values they take."""
    return StartError(*(_fault(each, model) for each in error.errors()))


def variable(model: type[BaseModel], field: str) -> str:
    """The name of the environment variable of a field."""
    alias = model.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"PARLEY_{field.upper()}"


def _fault(error: "ErrorDetails", model: type[BaseModel]) -> str:
    field = str(error["loc"][0])
    name = variable(model, field) if field in model.model_fields else field
    context = error.get("ctx", {})
    takes = _TAKES.get(error["type"])
    if takes is None:
        return f"{name} takes {context.get('error', 'something else')}."
    return f"{name} takes {takes.format(**context)}."
