"""Numbers in addresses are written in the digits 0 to 9, and in nothing else."""

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import pytest

from messaging.models import User
from tests.browsers import browser_of
from tests.contract.document import Operation, Parameter, operations, resolved
from tests.contract.sample_data import SampleData, create_sample_data

ODD: Final = ("1_0", " 1", "1 ", "+1", "1.0", "1e1", "0x1", "\u0661", "\uff11", "1\n")

INTEGERS: Final = [
    pytest.param(operation, parameter, id=f"{operation.id} {parameter.name}")
    for operation in operations()
    for place in ("path", "query")
    for parameter in operation.parameters(place)
    if resolved(parameter.value).type == "integer"
]


@pytest.fixture
def sample_data(db: None) -> SampleData:
    return create_sample_data()


def address(
    operation: Operation, odd: Parameter, sample_data: SampleData, text: str
) -> str:
    path = operation.path
    for part in operation.parameters("path"):
        value = str(sample_data.example(operation.id, part.name))
        given = text if part.name == odd.name else value
        path = path.replace(f"{{{part.name}}}", quote(given, safe=""))
    return path if odd.place == "path" else f"{path}?{odd.name}={quote(text)}"


@pytest.mark.parametrize(("operation", "parameter"), INTEGERS)
def test_every_number_of_the_api_is_in_plain_digits(
    sample_data: SampleData, operation: Operation, parameter: Parameter
) -> None:
    client = sample_data.caller(operation.id)
    for text in ODD:
        path = address(operation, parameter, sample_data, text)
        answer = client.call(operation.method, path)
        assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY, text
        refused = f'"source":"{parameter.place}","pointer":"/{parameter.name}'
        assert refused in answer.body.decode(), text


@pytest.mark.parametrize("text", ["0", "-1", "201"])
def test_a_number_out_of_bounds_is_a_problem(
    sample_data: SampleData, text: str
) -> None:
    answer = sample_data.client.get(f"/inbox?limit={text}")
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert b"than or equal to" in answer.body


@pytest.mark.django_db
@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize(
    "path",
    [
        *("/messages/{}", "/messages/{}/thread", "/conversations/{}"),
        *("/conversations/{}/details", "/conversations/{}/messages"),
    ],
)
def test_a_page_of_an_odd_number_is_no_page(
    sample_data: SampleData, path: str, text: str
) -> None:
    browser = browser_of(_ann())
    answer = browser.get(path.format(quote(text, safe="")))
    assert answer.status_code == HTTPStatus.NOT_FOUND


def _ann() -> User:
    return User.objects.get(username="ann")
