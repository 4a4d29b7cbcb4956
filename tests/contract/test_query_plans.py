"""No read goes through all messages or notifications to find a page of them."""

import re
from itertools import chain
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api_client import ApiClient
from tests.contract.query_counts import ROWS
from tests.contract.sample_data import create_large_sample_data

_LARGE: Final = ("messaging_message", "messaging_notification", "messaging_event")

# SQLite names what it goes through by its alias, as in `"messaging_message" U0`.
_ALIAS: Final = re.compile(rf'"({"|".join(_LARGE)})" (?:AS )?([A-Z]+\d+)\b')
# The rows of a common table expression may be gone through: it is made to be. Its
# alias may name a table elsewhere in the statement.
_EXPRESSION_ALIAS: Final = re.compile(r'"kept" (?:AS )?([A-Z]+\d+)\b')
_SCAN: Final = re.compile(r"^(?:SCAN|.*Seq Scan on) (\w+)", re.MULTILINE)


@pytest.mark.django_db
def test_every_read_of_a_large_table_goes_by_an_index() -> None:
    client, ids = create_large_sample_data(60)
    if connection.vendor == "postgresql":
        _avoid_sequential_scans()
    plans = [
        (statement, _plan(statement))
        for read in chain.from_iterable(ROWS.values())
        for statement in _statements(client, read.path.format_map(ids))
    ]
    assert len(plans) > len(ROWS)
    for statement, plan in plans:
        assert _scanned(plan, statement).isdisjoint(_LARGE), f"{statement}\n{plan}"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/conversations", "/inbox/summary"])
def test_what_is_unread_is_counted_past_what_was_read(path: str) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("its planner takes either condition for the other")
    client, _ = create_large_sample_data(3)
    (plan,) = (
        _plan(statement)
        for statement in _statements(client, path)
        if "messaging_notification" in statement
    )
    assert re.search(
        r"notification_unread_count \(conversation_id=\? AND user_id=\? AND is_read=\?\)",
        plan,
    ), plan


def test_a_scan_is_noticed() -> None:
    aliased = 'SELECT 1 FROM "messaging_message" U0'
    assert _scanned("SCAN U0", aliased) == {"messaging_message"}
    assert _scanned("  ->  Seq Scan on messaging_message u0  (cost=0", aliased) == {
        "messaging_message"
    }


@pytest.mark.django_db
def test_a_scan_is_noticed_by_the_database() -> None:
    """So that the test above can fail: nothing is indexed by content."""
    if connection.vendor == "postgresql":
        _avoid_sequential_scans()
    statement = "SELECT 1 FROM messaging_message WHERE content = 'x'"
    assert _scanned(_plan(statement), statement) == {"messaging_message"}


def _avoid_sequential_scans() -> None:
    """A few rows are quickest read by a scan; take one only where nothing else does."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


def _statements(client: ApiClient, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return [query["sql"] for query in captured.captured_queries]


def _plan(statement: str) -> str:
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {statement}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def _scanned(plan: str, statement: str) -> set[str]:
    aliases = {alias: table for table, alias in _ALIAS.findall(statement)}
    for alias in _EXPRESSION_ALIAS.findall(statement):
        aliases.pop(alias, None)
    return {aliases.get(name, name) for name in _SCAN.findall(plan)}
