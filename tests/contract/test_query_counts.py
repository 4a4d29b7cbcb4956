"""What every read costs, in queries: the same for three rows and for sixty."""

from itertools import chain
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.schemas.events import EVENT_STREAM
from api.schemas.export import NDJSON
from messaging.conversation_memory import clear_memories
from tests.contract.document import operations
from tests.contract.query_counts import KNOWN, ROWS
from tests.contract.sample_data import create_large_sample_data

SIZES: Final = (3, 50)


def test_every_read_has_its_queries_explained() -> None:
    reads = {operation.id for operation in operations() if operation.method == "GET"}
    assert ROWS.keys() == reads


@pytest.mark.django_db
@pytest.mark.parametrize("size", SIZES)
def test_a_read_costs_what_is_explained_whatever_the_size(size: int) -> None:
    client, ids = create_large_sample_data(size)
    for read in chain.from_iterable(ROWS.values()):
        if KNOWN in read.queries:
            clear_memories()
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(read.path.format_map(ids))
        assert answer.status == 200
        statements = [query["sql"] for query in captured.captured_queries]
        assert len(statements) == len(read.queries), "\n".join([read.path, *statements])
        if answer.headers["Content-Type"] == EVENT_STREAM:
            continue
        if answer.headers["Content-Type"] == NDJSON:
            assert len(answer.body.splitlines()) >= size
            continue
        # What was read did grow.
        assert "items" not in answer.json or len(answer.items) >= size
        assert answer.json.get("descendant_count", size) == size
