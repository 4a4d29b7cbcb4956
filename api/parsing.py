"""JSON in and out, by orjson: fast, strict, and safe against deep nesting."""

import orjson
from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from typing_extensions import override


class UnsupportedMediaTypeError(Exception):
    """The body is of a type that no operation takes."""


class JsonParser(Parser):
    @override
    def parse_body(self, request: HttpRequest) -> dict[str, object]:
        if request.content_type != "application/json":
            raise UnsupportedMediaTypeError(request.content_type)
        body: dict[str, object] = orjson.loads(request.body)
        return body


class JsonRenderer(BaseRenderer):
    media_type = "application/json"

    @override
    def render(
        self, request: HttpRequest, data: object, *, response_status: int
    ) -> bytes:
        return render_json(data)


def render_json(data: object) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)
