"""What is generated is what would be generated now."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import pytest
from django.conf import settings
from pydantic import TypeAdapter

from generator.document import EXTENDED, class_name
from parley_client import (
    AsyncEvent,
    AsyncPolledEvent,
    Event,
    PolledEvent,
    errors,
    models,
    operations,
)
from tests.contract.document import Schema, schemas
from tests.problem_table import ERRORS, FAULTS

T = TypeVar("T")

CLIENT: Final = settings.BASE_DIR / "client"
SOURCE: Final = CLIENT / "src" / "parley_client"

# Codes of problems that are no domain error.
OTHER_CODES: Final = {
    "body_too_large",
    "csrf_failed",
    "database_unavailable",
    "invalid_request",
    "malformed_body",
    "not_authenticated",
    "not_found",
    "overloaded",
    "result_gone",
    "unreadable_body",
    "unsupported_media_type",
}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    document = subprocess.run(
        [
            *(sys.executable, "manage.py", "export_openapi_schema"),
            *("--api", "api.application.api"),
        ],
        cwd=settings.BASE_DIR,
        capture_output=True,
        check=True,
    ).stdout
    subprocess.run(
        [sys.executable, "-m", "generator", str(folder)],
        cwd=CLIENT,
        input=document,
        check=True,
    )
    return folder


def test_nothing_has_drifted_from_the_document(generated: Path) -> None:
    """When this fails, run scripts/client, and see what changed."""
    modules = {path.relative_to(generated) for path in generated.rglob("*.py")}
    assert {Path("models.py"), Path("operations.py")} < modules
    assert {path.parent.name for path in modules} == {"", "_sync"}
    for module in modules:
        assert (SOURCE / module).read_text() == (generated / module).read_text()


def test_nothing_generated_is_left_over(generated: Path) -> None:
    there = {path.name for path in (SOURCE / "_sync").glob("*.py")}
    assert there == {path.name for path in (generated / "_sync").glob("*.py")}


def test_every_operation_is_used() -> None:
    used = {
        node.attr
        for module in (SOURCE / "_async").glob("*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "operations"
    }
    assert used == set(operations.__all__)


def test_every_code_is_an_error_of_its_own() -> None:
    known = [
        kind.known_code
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.RefusedError) and kind.known_code is not None
    ]
    assert len(known) == len(set(known))
    assert set(known) == {kind.code for kind in ERRORS} | OTHER_CODES


@pytest.mark.parametrize("code", sorted(OTHER_CODES))
def test_the_other_codes_are_codes_of_the_api(code: str) -> None:
    assert code in {fault.code for fault in FAULTS}


def test_what_holds_something_extended_is_extended() -> None:
    """Otherwise nothing could be done with it: a message in it not be replied to."""
    holders = {
        class_name(name)
        for name, schema in schemas().items()
        if {_plain_name(reference) for reference in _references(schema)} & EXTENDED
    }
    pages = {name for name in holders if name.endswith("Page")}
    unions = {"PolledEvent", "StreamEvent"}
    assert "ThreadData" in holders
    assert {
        name for name in holders - pages - unions if not name.endswith("Data")
    } == set()


def test_events_are_those_of_the_document() -> None:
    streamed = _types(TypeAdapter(models.StreamEvent))
    assert _types(TypeAdapter(Event)) == streamed - {"reconnect"}
    assert _types(TypeAdapter(AsyncEvent)) == streamed - {"reconnect"}
    assert "message.created" in streamed


def test_events_that_are_kept_are_those_of_the_document() -> None:
    kept = _types(TypeAdapter(models.EventPage))
    assert _types(TypeAdapter(PolledEvent)) == kept
    assert _types(TypeAdapter(AsyncPolledEvent)) == kept
    assert "message.created" in kept


def _plain_name(reference: str) -> str:
    return reference.rsplit("/", 1)[1].removesuffix("Out")


def _references(schema: Schema) -> Iterator[str]:
    if schema.ref is not None:
        yield schema.ref
    items = [] if schema.items is None else [schema.items]
    for part in (*schema.properties.values(), *items, *schema.any_of, *schema.one_of):
        yield from _references(part)


def _types(adapter: TypeAdapter[T]) -> set[str]:
    """What the `type` of its members says."""
    found = set[str]()
    for member in adapter.json_schema()["$defs"].values():
        type_name = member.get("properties", {}).get("type", {}).get("const")
        found |= set() if type_name is None else {type_name}
    return found
