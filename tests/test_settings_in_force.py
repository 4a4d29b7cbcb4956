"""What administrators see of the settings: all that hold no secret, as they are in force."""

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from config.variables import Environment
from messaging.access import superuser
from messaging.models import User
from messaging.rates import Rate
from messaging.services.settings_in_force import settings_in_force

# Secrets, and what is of the process alone.
NOT_SHOWN = {
    "secret_key",
    "secret_key_fallbacks",
    "database_url",
    "metrics_dir",
    "log_level",
    "log_format",
    "workers",
}


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


def shown(root: User) -> dict[str, str]:
    groups = settings_in_force(superuser=superuser(user=root))
    return {name: value for group in groups for name, value in group.values}


def test_every_setting_is_shown_or_kept_back_by_name(root: User) -> None:
    names = {
        str(field.validation_alias or f"PARLEY_{name.upper()}")
        for name, field in Environment.model_fields.items()
        if name not in NOT_SHOWN
    }
    assert shown(root).keys() - names == {"Version", "Database"}
    assert names - shown(root).keys() == set()


def test_values_are_those_in_force(root: User, settings: Settings) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    settings.PARLEY_LIMIT_SIGN_IN = Rate(10, 15 * 60)
    settings.PARLEY_LIMIT_GROUPS = Rate(100, 24 * 3600)
    settings.PARLEY_RATE_LIMITS = True
    found = shown(root)
    assert found["PARLEY_REGISTRATION"] == "invite"
    assert found["PARLEY_LIMIT_SIGN_IN"] == "10/15m"
    assert found["PARLEY_LIMIT_GROUPS"] == "100/d"
    assert found["PARLEY_RATE_LIMITS"] == "on"


def test_no_secret_is_shown(root: User, settings: Settings) -> None:
    settings.PARLEY_METRICS_TOKEN = "the-token"
    settings.PARLEY_REDIS_URL = "redis://:the-password@redis/0"
    text = str(shown(root))
    assert "the-token" not in text
    assert "the-password" not in text
    assert django_settings.SECRET_KEY not in text
    assert shown(root)["REDIS_URL"] == shown(root)["PARLEY_METRICS_TOKEN"] == "set"
