"""Generates a function for each operation, which makes its `Request`."""

import re
from collections.abc import Iterator
from typing import Final

from generator.document import (
    Document,
    Operation,
    Parameter,
    Schema,
    class_name,
    referred,
)
from generator.formatting import formatted

_HEADER: Final = '''\
"""Generated from the OpenAPI document by scripts/client; do not edit."""

from parley_client import models
from parley_client.base import Page, Request, Stream, quoted

'''

_KEY: Final = "Idempotency-Key"
_TYPES: Final = {"integer": "int", "string": "str", "boolean": "bool"}


def operations(document: Document) -> str:
    functions = [
        _function(document, method, path, operation)
        for method, path, operation in document.operations()
    ]
    names = "".join(f'"{operation.id}",' for _, _, operation in document.operations())
    return formatted(
        f"{_HEADER}__all__ = [{names}]\n\n{''.join(functions)}", "operations.py"
    )


def _function(document: Document, method: str, path: str, operation: Operation) -> str:
    arguments = ", ".join(_arguments(operation))
    values = ", ".join(_values(method, path, operation))
    return (
        f"def {operation.id}({arguments}) -> {_answer(document, operation)}:\n"
        f'    """{operation.summary}."""\n'
        f"    return {_kind(operation)}({values})\n\n\n"
    )


def _arguments(operation: Operation) -> Iterator[str]:
    yield from (
        f"{parameter.name}: {_type(parameter.value)}"
        for parameter in operation.of("path")
    )
    if operation.body is not None:
        optional = "" if operation.body.required else " | None = None"
        yield f"body: {_body_type(operation)}{optional}"
    named = sorted(
        [*operation.of("query"), *operation.of("header")],
        key=lambda parameter: not parameter.required,
    )
    if named:
        yield "*"
    yield from (f"{_name(parameter)}: {_named_type(parameter)}" for parameter in named)


def _values(method: str, path: str, operation: Operation) -> Iterator[str]:
    yield f'"{operation.id}"'
    yield f'"{method}"'
    yield _path(path)
    if operation.of("query"):
        pairs = (f'"{part.name}": {_name(part)}' for part in operation.of("query"))
        yield f"query={{{', '.join(pairs)}}}"
    if operation.body is not None:
        yield "body=body"
    if operation.of("header"):
        pairs = (f'"{part.name}": {_name(part)}' for part in operation.of("header"))
        yield f"headers={{{', '.join(pairs)}}}"


def _path(path: str) -> str:
    named = re.sub(r"\{(\w+)\}", r"{quoted(\1)}", path)
    return f'"{path}"' if named == path else f'f"{named}"'


def _name(parameter: Parameter) -> str:
    return parameter.name.lower().replace("-", "_")


def _named_type(parameter: Parameter) -> str:
    known = _type(parameter.value)
    return known if parameter.required else f"{known} | None = None"


def _type(schema: Schema) -> str:
    [known] = [part for part in schema.any_of if part.type != "null"] or [schema]
    return _TYPES[str(known.type)]


def _body_type(operation: Operation) -> str:
    assert operation.body is not None
    [media] = operation.body.content.values()
    parts = media.value.one_of or media.value.all_of or [media.value]
    return " | ".join(f"models.{class_name(_referred(part))}" for part in parts)


def _answer(document: Document, operation: Operation) -> str:
    content, media = _success(operation)
    if media is None:
        return "Request[None]"
    name = _referred(media)
    if content != "application/json":
        return f"Stream[models.{class_name(name)}]"
    item = document.item_of(name)
    return f"Request[{f'models.{class_name(name)}' if item is None else f'Page[models.{class_name(item)}]'}]"


def _kind(operation: Operation) -> str:
    content, _ = _success(operation)
    return "Request" if content in {None, "application/json"} else "Stream"


def _success(operation: Operation) -> tuple[str | None, Schema | None]:
    """The content type and schema of a successful response; they are the same for every 2xx."""
    for status, response in operation.responses.items():
        if status.startswith("2"):
            for content, media in response.content.items():
                return content, media.value
    return None, None


def _referred(schema: Schema) -> str:
    assert schema.ref is not None, schema
    return referred(schema.ref)
