"""Unlimited requests are cheap: the API document, static files and probes are cached."""

import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus
from threading import Barrier
from typing import TYPE_CHECKING

import orjson
import pytest
from django.db import connection
from django.test import Client, RequestFactory
from ninja import NinjaAPI
from pytest_django import DjangoAssertNumQueries

import api.document
import edge.compression
from api.document import openapi_document
from edge.health import ARRIVED, readyz

if TYPE_CHECKING:
    pass

DOCUMENT = "/api/v1/openapi.json"
BUNDLE = "/static/ninja/swagger-ui-bundle.js"
GZIP = {"Accept-Encoding": "gzip"}


class Calls:
    """Of a function of others, which is called all the same."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
    ) -> None:
        self.number = 0
        called = getattr(owner, name)

        def counted(*args: object, **kwargs: object) -> object:
            self.number += 1
            return called(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)


def test_the_document_is_generated_once_under_concurrent_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api.document, "_DOCUMENT", api.document._Document())
    composed = Calls(monkeypatch, NinjaAPI, "get_openapi_schema")
    barrier = Barrier(8)

    def ask(_: int) -> bytes:
        barrier.wait(60)
        return openapi_document(RequestFactory().get(DOCUMENT)).content

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(8)))
    assert len(answers) == composed.number == 1


def test_the_document_is_cacheable_and_has_an_etag(db: None) -> None:
    first = Client().get(DOCUMENT)
    assert orjson.loads(first.content)["openapi"].startswith("3.1")
    assert first.headers["Cache-Control"].startswith("public")
    assert first.headers["Vary"] == "Accept-Encoding"
    again = Client().get(DOCUMENT, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    other = Client().get(DOCUMENT, headers={"If-None-Match": '"another"'})
    assert other.status_code == HTTPStatus.OK


def test_the_document_is_compressed_once(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.document, "_DOCUMENT", api.document._Document())
    compressed = Calls(monkeypatch, gzip, "compress")
    small = [Client().get(DOCUMENT, headers=GZIP) for _ in range(3)]
    assert compressed.number == 1
    assert small[0].headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small[0].content) == Client().get(DOCUMENT).content
    known = {**GZIP, "If-None-Match": small[0].headers["ETag"]}
    again = Client().get(DOCUMENT, headers=known)
    assert again.status_code == HTTPStatus.NOT_MODIFIED


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_document_is_only_read(db: None, method: str) -> None:
    answer = getattr(Client(), method)(DOCUMENT)
    assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert Client().head(DOCUMENT).status_code == HTTPStatus.OK


def test_a_file_is_compressed_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.compression, "_FILES", edge.compression._Files())
    compressed = Calls(monkeypatch, gzip, "compress")
    small = [Client().get(BUNDLE, headers=GZIP) for _ in range(3)]
    assert compressed.number == 1
    with closing(Client().get(BUNDLE)) as whole:
        plain = whole.getvalue()
    assert gzip.decompress(small[0].content) == plain
    assert small[0].headers["Vary"] == "Accept-Encoding"
    known = {**GZIP, "If-None-Match": small[0].headers["ETag"]}
    assert Client().get(BUNDLE, headers=known).status_code == HTTPStatus.NOT_MODIFIED
    assert compressed.number == 1


def test_a_part_of_a_file_is_sent_as_it_is(db: None) -> None:
    part = {**GZIP, "Range": "bytes=0-9"}
    with closing(Client().get(BUNDLE, headers=part)) as answer:
        assert answer.status_code == HTTPStatus.PARTIAL_CONTENT
        assert "Content-Encoding" not in answer.headers


def test_those_who_ask_whether_it_is_ready_share_a_look_at_the_database(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first, second, later = (RequestFactory().get("/readyz") for _ in range(3))
    first.META[ARRIVED] = second.META[ARRIVED] = time.monotonic()
    assert readyz(first).status_code == HTTPStatus.OK
    with django_assert_num_queries(0):
        assert readyz(second).status_code == HTTPStatus.OK
    later.META[ARRIVED] = time.monotonic()
    # Also whether it is a standby.
    with django_assert_num_queries(3 if connection.vendor == "postgresql" else 2):
        assert readyz(later).status_code == HTTPStatus.OK
