"""Fixtures of the API's tests: people who are signed in."""

import pytest
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
