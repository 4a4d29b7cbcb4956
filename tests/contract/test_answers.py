"""What is sent is what the document describes: answers are not validated when served."""

import json
from typing import Final, cast

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from pydantic import BaseModel

from api.application import api
from tests.api_client import JsonValue
from tests.contract.query_counts import ROWS
from tests.contract.sample_data import create_large_sample_data

_JSON = "application/json"
_DOCUMENT = cast("dict[str, JsonValue]", api.get_openapi_schema())


def _described(operation_id: str) -> Draft202012Validator:
    """A validator of the operation's 200."""
    paths = cast("dict[str, dict[str, dict[str, JsonValue]]]", _DOCUMENT["paths"])
    (operation,) = (
        operation
        for path in paths.values()
        for operation in path.values()
        if operation["operationId"] == operation_id
    )
    responses = cast("dict[str, dict[str, JsonValue]]", operation["responses"])
    # By the number, as ninja has it, or by its text.
    answers = {str(status): answer for status, answer in responses.items()}
    content = cast(
        "dict[str, dict[str, dict[str, JsonValue]]]", answers["200"]["content"]
    )
    schema = content[_JSON]["schema"]
    return Draft202012Validator({**schema, "components": _DOCUMENT["components"]})


def _model(operation_id: str) -> type[BaseModel]:
    """What the operation declares for its 200, as the field `response`."""
    (model,) = (
        operation.response_models[200]
        for _, router in api._routers
        for path in router.path_operations.values()
        for operation in path.operations
        if operation.operation_id == operation_id
    )
    return cast("type[BaseModel]", model)


# Each line and frame of theirs is validated where they are tested.
STREAMED: Final = {"me_export", "events_stream"}


@pytest.mark.django_db
@pytest.mark.parametrize("operation_id", sorted(ROWS.keys() - STREAMED))
def test_every_read_answers_what_is_described(operation_id: str) -> None:
    client, ids = create_large_sample_data(3)
    validator, model = _described(operation_id), _model(operation_id)
    for read in ROWS[operation_id]:
        answer = client.get(read.path.format_map(ids))
        assert answer.status == 200
        validator.validate(answer.json)
        # The schema allows other fields and other ways to write a time; this does not.
        parsed = model.model_validate({"response": answer.json})
        assert json.loads(parsed.model_dump_json(by_alias=True)) == {
            "response": answer.json
        }


def test_an_answer_that_is_not_described_is_noticed() -> None:
    with pytest.raises(Exception, match="required property"):
        _described("messages_get").validate({"id": 1})
