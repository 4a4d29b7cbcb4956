"""JSON in and out, by orjson: fast, strict, and safe against deep nesting."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson
from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import BaseModel
from typing_extensions import override

S = TypeVar("S", bound=BaseModel)


class UnsupportedMediaTypeError(Exception):
    """The body is of a type that no operation takes."""


class JsonParser(Parser):
    @override
    def parse_body(self, request: HttpRequest) -> dict[str, object]:
        if request.content_type != "application/json":
            raise UnsupportedMediaTypeError(request.content_type)
        body: dict[str, object] = orjson.loads(request.body)
        return body


@dataclass(frozen=True, slots=True)
class Written(Generic[S]):
    """The JSON of an `S`, written without making one.

    A page has hundreds of parts, and a model of each costs as much as the rest of the
    answer; `tests/contract/test_answers.py` holds what is written against the schema.
    """

    json: bytes


class JsonRenderer(BaseRenderer):
    media_type = "application/json"

    @override
    def render(
        self, request: HttpRequest, data: object, *, response_status: int
    ) -> bytes:
        return render_json(data)


def render_json(data: object) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)
