"""Ids and ranges as forms send them."""

import pytest

from chats.ids import parse_ranges
from messaging.errors import InvalidError


@pytest.mark.parametrize("text", ["5-x", "-5", "5-", "0-1", "2-1", ""])
def test_a_refused_range_is_reported_for_the_field_of_ranges(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_ranges([text])
    assert refused.value.field == "range"
