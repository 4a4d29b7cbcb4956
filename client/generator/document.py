"""The parts of the OpenAPI document that the client is generated from."""

from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

# Schemas for which the client has hand-written classes with methods. Those have the
# plain names; the generated base classes end in `Data`.
EXTENDED: Final = frozenset(
    {
        "Conversation",
        "ConversationCreated",
        "ConversationReset",
        "ConversationUpdated",
        "Message",
        "MessageCreated",
        "MessageDeleted",
        "MessageEdited",
        "Notification",
        "NotificationCreated",
        "Reply",
        "Thread",
        "UnreadConversation",
        "UnreadThread",
    }
)

_REFERENCE: Final = "#/components/schemas/"


class _Part(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


class Schema(_Part):
    ref: str | None = Field(None, alias="$ref")
    type: str | None = None
    properties: "dict[str, Schema]" = {}
    items: "Schema | None" = None
    any_of: "list[Schema]" = Field([], alias="anyOf")
    one_of: "list[Schema]" = Field([], alias="oneOf")
    all_of: "list[Schema]" = Field([], alias="allOf")


class Parameter(_Part):
    name: str
    place: str = Field(alias="in")
    required: bool
    value: Schema = Field(alias="schema")


class _Media(_Part):
    value: Schema = Field(alias="schema")


class _Response(_Part):
    content: dict[str, _Media] = {}


class _Body(_Part):
    content: dict[str, _Media]
    required: bool = False


class Operation(_Part):
    id: str = Field(alias="operationId")
    summary: str
    parameters: list[Parameter] = []
    responses: dict[str, _Response]
    body: _Body | None = Field(None, alias="requestBody")

    def of(self, place: str) -> list[Parameter]:
        return [parameter for parameter in self.parameters if parameter.place == place]


class _Components(_Part):
    schemas: dict[str, JsonValue]


class Document(_Part):
    paths: dict[str, dict[str, Operation]]
    components: _Components

    def schema_named(self, name: str) -> Schema:
        return Schema.model_validate(self.components.schemas[name])

    def item_of(self, name: str) -> str | None:
        """The schema of the items, if this schema is a page with no other fields."""
        if not isinstance(self.components.schemas[name], dict):
            return None
        properties = self.schema_named(name).properties
        items, after = properties.get("items"), properties.get("next_cursor")
        if len(properties) != 2 or items is None or after is None:  # noqa: PLR2004
            return None
        if items.items is None or items.items.ref is None or not after.any_of:
            return None
        return referred(items.items.ref)

    def operations(self) -> Iterator[tuple[str, str, Operation]]:
        """The method, path (without the API's prefix) and description of each operation."""
        for path, methods in self.paths.items():
            for method, operation in methods.items():
                yield method.upper(), path.removeprefix("/api/v1"), operation


def read_document(text: bytes) -> Document:
    return Document.model_validate_json(text)


def class_name(schema: str) -> str:
    """The name of the generated class for a schema."""
    name = schema.removesuffix("Out")
    return f"{name}Data" if name in EXTENDED else name


def referred(reference: str) -> str:
    return reference.removeprefix(_REFERENCE)


def is_reference(text: str) -> bool:
    return text.startswith(_REFERENCE)


def reference(name: str) -> str:
    return f"{_REFERENCE}{name}"
