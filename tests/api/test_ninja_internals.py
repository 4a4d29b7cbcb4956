"""What is used of ninja beyond what it documents: each test names what an upgrade changed."""

import re
from typing import Annotated

import pydantic
import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import path
from ninja import Header, NinjaAPI, Query, Router, Schema
from ninja.decorators import decorate_view
from ninja.errors import AuthenticationError, ConfigError, HttpError, ValidationError

from api.ninja_internals import (
    AUTH_OF_THE_API,
    InvalidValue,
    Run,
    invalid_path_parameter,
    invalid_values,
    parser_error,
    passes_csrf,
    query_parameters,
    unexpected_parameters,
    wrap_view,
)
from api.parsing import JsonParser, UnsupportedMediaTypeError

pytestmark = pytest.mark.urls(__name__)

ADDRESS = "/of-ninja/7"
KEY = {"X-Key": "right"}


class Filters(Schema):
    limit: int = 5
    name: str = ""


class Body(Schema):
    text: str

    @pydantic.field_validator("text")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("Write something.")
        return value


def has_key(request: HttpRequest) -> bool:
    return request.headers.get("X-Key") == "right"


def noting_path(run: Run) -> Run:
    def running(request: HttpRequest, **path: str) -> HttpResponseBase:
        response = run(request, **path)
        response["X-Path"] = str(path)
        return response

    return running


router = Router()


@router.post("/{number}", auth=AUTH_OF_THE_API)
@decorate_view(noting_path)
def view(
    request: HttpRequest,
    number: int,
    parameters: Query[Filters],
    body: Body,
    tag: Annotated[str, Header("")],
    plain: str = "",
) -> str:
    return f"{number} {parameters.limit} {body.text}"


wrap_view(view, lambda run: lambda *args, **kwargs: f"<{run(*args, **kwargs)}>")

raised: list[object] = []


def keep(request: HttpRequest, error: object) -> HttpResponse:
    raised.append(error)
    return HttpResponse(status=400)


built = NinjaAPI(
    urls_namespace="of-ninja", parser=JsonParser(), auth=has_key, docs_url=None
)
built.add_router("", router)
built.add_exception_handler(ValidationError, keep)
built.add_exception_handler(HttpError, keep)
urlpatterns = [path("of-ninja/", built.urls)]


def ask(body: object, *, address: str = ADDRESS, kind: str = "application/json") -> str:
    raised.clear()
    answer = Client(headers=KEY).post(address, body, content_type=kind)
    return answer.content.decode()


def refused(body: object, *, address: str = ADDRESS) -> list[InvalidValue]:
    ask(body, address=address)
    [error] = raised
    assert isinstance(error, ValidationError)
    return invalid_values(error)


def test_no_other_module_reaches_into_ninja() -> None:
    inside = re.compile(r"_ninja_|ninja\.(constants|openapi|operation|signature|utils)")
    reaching = {
        module.name
        for module in (settings.BASE_DIR / "api").rglob("*.py")
        if inside.search(module.read_text())
    }
    assert reaching == {"ninja_internals.py"}


def test_the_query_parameters_of_a_view_are_known() -> None:
    assert query_parameters(view) == {"limit", "name", "plain"}


def test_a_view_that_is_not_registered_has_no_query_parameters() -> None:
    with pytest.raises(ConfigError):
        query_parameters(lambda: None)


def test_the_wrapped_view_is_the_one_that_is_called() -> None:
    assert ask({"text": "x"}) == '"<7 5 x>"'


def test_what_is_around_a_run_gets_the_path_unparsed() -> None:
    answer = Client(headers=KEY).post(ADDRESS, {"text": "x"}, "application/json")
    assert answer.headers["X-Path"] == "{'number': '7'}"


def test_an_operation_has_the_authentication_of_its_api() -> None:
    raised.clear()
    Client().post(ADDRESS, {"text": "x"}, "application/json")
    assert [type(error) for error in raised] == [AuthenticationError]


@pytest.mark.parametrize(
    ("body", "query", "value"),
    [
        ({"text": " "}, "", InvalidValue("body", ("text",), "Write something.")),
        ({}, "", InvalidValue("body", ("text",), "Field required")),
        (
            {"text": "x"},
            "?limit=x",
            InvalidValue(
                "query",
                ("limit",),
                "Input should be a valid integer, unable to parse string as an integer",
            ),
        ),
    ],
)
def test_a_value_is_named_as_the_client_knows_it(
    body: object, query: str, value: InvalidValue
) -> None:
    assert refused(body, address=f"{ADDRESS}{query}") == [value]


def test_a_path_parameter_is_refused_as_ninja_does() -> None:
    theirs = refused({"text": "x"}, address="/of-ninja/x")
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(int).validate_python("x")
    ours = invalid_values(invalid_path_parameter("number", caught.value))
    assert ours == theirs


def test_unexpected_parameters_are_invalid_values_of_the_query() -> None:
    error = unexpected_parameters({"x": "There is no such parameter."})
    assert invalid_values(error) == [
        InvalidValue("query", ("x",), "There is no such parameter.")
    ]


def test_what_the_parser_raised_is_known() -> None:
    ask("x", kind="text/plain")
    [error] = raised
    assert isinstance(error, HttpError)
    assert isinstance(parser_error(error), UnsupportedMediaTypeError)


# A refusal renders our page for it, which has links.
@pytest.mark.urls("config.urls")
def test_a_write_without_its_token_does_not_pass() -> None:
    request = RequestFactory(enforce_csrf_checks=True).post("/")
    assert not passes_csrf(request)
    assert passes_csrf(RequestFactory().get("/"))
