"""Fixtures of the API's tests: people who are signed in, and a faulty database."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import Client

from messaging.models import User
from tests.api_client import ApiClient
from tests.conftest import ClientOf


@pytest.fixture
def as_ann(client_of: ClientOf, ann: User) -> ApiClient:
    return client_of(ann)


@pytest.fixture
def as_bob(client_of: ClientOf, bob: User) -> ApiClient:
    return client_of(bob)


@pytest.fixture
def as_cleo(client_of: ClientOf, cleo: User) -> ApiClient:
    return client_of(cleo)


@pytest.fixture
def browser(ann: User) -> Client:
    """Ann's, signed in with a session, with a CSRF cookie and without the token."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(ann)
    client.cookies["csrftoken"] = "c" * 32
    return client


@pytest.fixture
def unreachable_database(db: None) -> Iterator[None]:
    """A connection to where no database is."""
    working = connections["default"]
    broken = working.copy()
    broken.settings_dict.update(NAME="/nowhere/parley", HOST="127.0.0.1", PORT=1)
    connections["default"] = broken
    try:
        yield
    finally:
        connections["default"] = working
