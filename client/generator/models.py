"""Generates the models, with datamodel-code-generator."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import JsonValue

from generator.document import Document, class_name, is_reference, reference, referred
from generator.formatting import formatted

_HEADER: Final = (
    '"""Generated from the OpenAPI document by scripts/client; do not edit."""\n\n'
)

# Only the server decides whether a value is valid, so that limits can change without a
# new client.
_LIMITS: Final = frozenset(
    {
        "additionalProperties",
        "maximum",
        "maxItems",
        "maxLength",
        "minimum",
        "minItems",
        "minLength",
        "pattern",
        "title",
    }
)

_SECRETS: Final = frozenset(
    {
        *("current_password", "invite_code", "new_password", "password", "token"),
        "url",
    }
)

_OPTIONS: Final = (
    *("--input-file-type", "openapi"),
    *("--output-model-type", "pydantic_v2.BaseModel"),
    *("--target-python-version", "3.11"),
    *("--base-class", "parley_client.base.Model"),
    *("--enum-field-as-literal", "all"),
    *("--field-extra-keys", "repr"),
    *("--formatters", "ruff-format", "ruff-check"),
    "--collapse-root-models",
    "--disable-timestamp",
    "--field-constraints",
    "--use-annotated",
    "--use-attribute-docstrings",
    "--use-double-quotes",
    "--use-field-description",
    "--use-generic-container-types",
    "--use-one-literal-as-default",
    "--use-schema-description",
    "--use-single-line-docstring",
    "--use-standard-collections",
    "--use-type-alias",
    "--use-union-operator",
)


def models(document: Document) -> str:
    schemas = {
        class_name(name): _told(schema, within_properties=False)
        for name, schema in document.components.schemas.items()
        # Pages have one generic class, and query parameters are arguments of functions.
        if document.item_of(name) is None and not name.endswith("Query")
    }
    told = {
        "openapi": "3.1.0",
        "info": {"title": "Parley", "version": "1"},
        "paths": {},
        "components": {"schemas": schemas},
    }
    return formatted(_HEADER + _generated(json.dumps(told)), "models.py")


def _generated(document: str) -> str:
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "openapi.json"), Path(folder, "models.py")
        source.write_text(document)
        subprocess.run(
            [
                *(sys.executable, "-m", "datamodel_code_generator"),
                *("--input", source, "--output", target, *_OPTIONS),
            ],
            check=True,
        )
        lines = target.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#"))


def _told(value: JsonValue, *, within_properties: bool) -> JsonValue:
    """A part of the document with the names of the client's classes, and without limits."""
    if isinstance(value, list):
        return [_told(part, within_properties=False) for part in value]
    if isinstance(value, str):
        return reference(class_name(referred(value))) if is_reference(value) else value
    if not isinstance(value, dict):
        return value
    kept = value if within_properties else _without_limits(value)
    told: dict[str, JsonValue] = {
        key: _told(part, within_properties=key == "properties")
        for key, part in kept.items()
    }
    if within_properties:
        for name in _SECRETS & told.keys():
            told[name] = _hidden(told[name])
    return told


def _without_limits(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {
        key: part
        for key, part in schema.items()
        # `additionalProperties` is no limit if it is a schema: it is the type of a
        # mapping's values.
        if key not in _LIMITS or isinstance(part, dict)
    }


def _hidden(schema: JsonValue) -> JsonValue:
    return {**schema, "repr": False} if isinstance(schema, dict) else schema
