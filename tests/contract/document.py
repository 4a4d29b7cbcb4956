"""The OpenAPI document, as far as the tests read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from api.application import api
from tests.api_client import Method

PROBLEM_TYPE: Final = "application/problem+json"


class _DocumentModel(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


class Schema(_DocumentModel):
    ref: str | None = Field(None, alias="$ref")
    type: str | None = None
    const: str | None = None
    enum: list[str] = []
    minimum: int | None = None
    maximum: int | None = None
    properties: dict[str, "Schema"] = {}
    required: list[str] = []
    additional_properties: "bool | Schema" = Field(
        default=True, alias="additionalProperties"
    )
    max_properties: int | None = Field(None, alias="maxProperties")
    items: "Schema | None" = None
    any_of: list["Schema"] = Field([], alias="anyOf")
    one_of: list["Schema"] = Field([], alias="oneOf")
    all_of: list["Schema"] = Field([], alias="allOf")


class Parameter(_DocumentModel):
    name: str
    place: str = Field(alias="in")
    required: bool
    value: Schema = Field(alias="schema")


class Media(_DocumentModel):
    value: Schema = Field(alias="schema")


class Response(_DocumentModel):
    description: str
    content: dict[str, Media] = {}


class RequestBody(_DocumentModel):
    content: dict[str, Media]
    required: bool


class _Described(_DocumentModel):
    operation_id: str = Field(alias="operationId")
    summary: str
    description: str
    parameters: list[Parameter]
    responses: dict[int, Response]
    body: RequestBody | None = Field(None, alias="requestBody")
    security: list[dict[str, list[str]]] = []


class _Components(_DocumentModel):
    schemas: dict[str, Schema]


class _Document(_DocumentModel):
    paths: dict[str, dict[str, _Described]]
    components: _Components


@dataclass(frozen=True, slots=True)
class Operation:
    method: Method
    # Below the prefix of the API.
    path: str
    described: _Described

    @property
    def id(self) -> str:
        return self.described.operation_id

    @property
    def public(self) -> bool:
        return not self.described.security

    @property
    def statuses(self) -> set[int]:
        return set(self.described.responses)

    def parameters(self, place: str) -> list[Parameter]:
        return [found for found in self.described.parameters if found.place == place]

    @property
    def bodies(self) -> list[Schema]:
        """The schemas of its body: one, none, or one for each kind of body."""
        if self.described.body is None:
            return []
        [media] = self.described.body.content.values()
        return list(_alternatives(media.value))


def operations() -> list[Operation]:
    return [
        Operation(_METHODS[method], path.removeprefix("/api/v1"), described)
        for path, methods in _DOCUMENT.paths.items()
        for method, described in methods.items()
    ]


def schemas() -> dict[str, Schema]:
    return _DOCUMENT.components.schemas


def resolved(schema: Schema) -> Schema:
    """What a reference refers to, and the one alternative that is not null."""
    if schema.ref is not None:
        return resolved(schemas()[schema.ref.removeprefix("#/components/schemas/")])
    others = [part for part in (*schema.any_of, *schema.all_of) if part.type != "null"]
    return resolved(others[0]) if others else schema


def _alternatives(schema: Schema) -> Iterator[Schema]:
    for alternative in map(resolved, schema.one_of or [schema]):
        if alternative.max_properties == 1:
            for name, value in alternative.properties.items():
                yield alternative.model_copy(update={"properties": {name: value}})
        else:
            yield alternative


_METHODS: Final[dict[str, Method]] = {
    "get": "GET",
    "post": "POST",
    "put": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}
_DOCUMENT: Final = _Document.model_validate(api.get_openapi_schema())
