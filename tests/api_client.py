"""A client of the API for tests: Django's real client, JSON in and out."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

import orjson
from django.test import Client

from tests.declared import require_declared

API = "/api/v1"

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
# Any is not ours to use; a test says what it expects by comparing or narrowing.
Json = dict[str, "JsonValue"]
JsonValue = str | int | float | bool | None | list["JsonValue"] | Json


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        value: Json = orjson.loads(self.body)
        return value

    @property
    def items(self) -> list[Json]:
        return [item for item in self.list("items") if isinstance(item, dict)]

    def text(self, key: str) -> str:
        value = self.json[key]
        assert isinstance(value, str), self.body
        return value

    def number(self, key: str) -> int:
        value = self.json[key]
        assert isinstance(value, int), self.body
        return value

    def list(self, key: str) -> "list[JsonValue]":
        value = self.json[key]
        assert isinstance(value, list), self.body
        return value

    @property
    def is_problem(self) -> bool:
        return self.headers.get("Content-Type") == "application/problem+json"

    @property
    def code(self) -> str:
        """The code of a problem, after checking that it has a problem's whole shape."""
        assert self.is_problem, self.body
        assert self.json.keys() == {
            "type",
            "title",
            "status",
            "code",
            "detail",
            "instance",
            "request_id",
            "errors",
        }
        assert self.json["status"] == self.status
        return self.text("code")


class ApiClient:
    """Calls the API, as the person of the token or as nobody."""

    def __init__(self, token: str | None = None) -> None:
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.client = Client(headers=self.headers, raise_request_exception=False)

    def call(
        self,
        method: Method,
        path: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        response = self.client.generic(
            method,
            f"{API}{path}",
            b"" if body is None else orjson.dumps(body),
            content_type="application/json",
            headers=headers,
        )
        answer = Answer(
            response.status_code, dict(response.headers), response.getvalue()
        )
        if answer.is_problem:
            route = response.wsgi_request.resolver_match
            require_declared(method, "" if route is None else route.route, answer.code)
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: object = None) -> Answer:
        return self.call("POST", path, body)

    def put(self, path: str, body: object = None) -> Answer:
        return self.call("PUT", path, body)

    def patch(self, path: str, body: object = None) -> Answer:
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def paginate(self, path: str, *, limit: int) -> list[Json]:
        """The items of all pages of a list, in order."""
        joint = "&" if "?" in path else "?"
        found: list[Json] = []
        cursor: JsonValue = None
        while True:
            after = "" if cursor is None else f"&cursor={cursor}"
            page = self.get(f"{path}{joint}limit={limit}{after}")
            assert page.status == HTTPStatus.OK, page.body
            found += page.items
            cursor = page.json["next_cursor"]
            if cursor is None:
                return found
