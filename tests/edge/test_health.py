"""Probes for whatever watches over the server."""

from http import HTTPStatus

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from edge import health
from edge.redis_cache import FailSoftRedisCache
from messaging.services.installation import adopt_secret_key

NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_answer_and_are_not_kept(db: None, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == HTTPStatus.OK
    assert answer.json()["status"] in {"ok", "ready"}
    assert "no-store" in answer.headers["Cache-Control"]
    assert Client().post(path).status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_a_server_with_database_and_cache_is_ready(db: None) -> None:
    assert Client().get("/readyz").json() == {"status": "ready", "cache": "ok"}


def test_a_database_that_is_not_migrated_is_not_ready(db: None) -> None:
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("messaging")
    MigrationRecorder(connection).record_unapplied(*newest)
    answer = Client().get("/readyz")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["code"] == "not_ready"
    assert "migrate" in answer.json()["detail"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no standby")
def test_a_database_that_takes_no_writes_is_not_ready(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET transaction_read_only = on")
    answer = Client().get("/readyz")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["detail"] == "The database takes no writes."


@pytest.mark.django_db
def test_a_node_with_another_secret_key_is_not_ready(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the database was away at the start, nothing has been compared yet."""
    adopt_secret_key()
    settings.SECRET_KEY = "another key, as long as keys have to be: 0123"
    # As in a process that was just started.
    monkeypatch.setattr(health, "_checks", health._Checks())
    answer = Client().get("/readyz")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "PARLEY_SECRET_KEY" in answer.json()["detail"]


@pytest.mark.usefixtures("unreachable_database")
def test_without_its_database_a_server_lives_and_is_not_ready() -> None:
    assert Client().get("/healthz").status_code == HTTPStatus.OK
    answer = Client().get("/readyz")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["detail"] == "The database does not answer."


@pytest.mark.usefixtures("unreachable_database")
@pytest.mark.parametrize("path", ["/account/delete", "/admin/"])
def test_without_its_database_a_page_says_that_it_is_away(path: str) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a" * 32
    answer = client.get(path)
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.headers["Retry-After"] == "1"


def test_a_server_without_its_cache_is_ready(db: None, settings: Settings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "edge.redis_cache.FailSoftRedisCache",
            "LOCATION": NO_REDIS,
        }
    }
    assert Client().get("/readyz").json() == {"status": "ready", "cache": "down"}


def test_a_missing_cache_finds_nothing_and_breaks_nothing() -> None:
    missing = FailSoftRedisCache(NO_REDIS, {})
    missing.set("key", "value")
    assert missing.get("key", "default") == "default"
