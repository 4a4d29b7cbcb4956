"""Fixtures of the pages' tests: browsers of people who are signed in."""

from collections.abc import Callable

import pytest
from django.test import Client

from messaging.models import User

BrowserOf = Callable[[User], Client]


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def anns(ann: User) -> Client:
    """Ann's browser."""
    return browser_of(ann)


@pytest.fixture
def bobs(bob: User) -> Client:
    """Bob's browser."""
    return browser_of(bob)


@pytest.fixture
def cleos(cleo: User) -> Client:
    """Cleo's browser."""
    return browser_of(cleo)
