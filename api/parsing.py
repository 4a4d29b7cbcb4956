"""Parsing and rendering JSON with orjson, which is fast, strict and bounds nesting."""

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
    """The request's body is not application/json."""


class JsonParser(Parser):
    @override
    def parse_body(self, request: HttpRequest) -> dict[str, object]:
        if request.content_type != "application/json":
            raise UnsupportedMediaTypeError(request.content_type)
        body: dict[str, object] = orjson.loads(request.body)
        return body


@dataclass(frozen=True, slots=True)
class Written(Generic[S]):
    """JSON of the schema `S`, written without making instances of `S`.

    A tree has hundreds of messages, and making a model of each takes as long as the
    rest of the request. `tests/contract/test_answers.py` checks this JSON against the
    schema.
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
