"""Rotating the secret key: sessions outlive it as long as the operator wants."""

import pytest
from django.conf import settings as configured
from django.test import Client
from pytest_django import Settings

from config.variables import Environment
from messaging.models import User


@pytest.mark.parametrize(("keeps_old", "status"), [(True, 200), (False, 302)])
def test_a_session_holds_while_its_key_is_a_fallback(
    ann: User, settings: Settings, keeps_old: bool, status: int
) -> None:
    client = Client()
    client.force_login(ann)
    old = configured.SECRET_KEY
    settings.SECRET_KEY = "a new key, long enough to be a key: 0123456789"
    settings.SECRET_KEY_FALLBACKS = [old] if keeps_old else []
    assert client.get("/account/delete").status_code == status


def test_the_fallbacks_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PARLEY_SECRET_KEY_FALLBACKS", "older, oldest")
    assert Environment().secret_key_fallbacks == ("older", "oldest")
