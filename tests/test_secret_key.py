"""The secret key: one for all nodes; sessions outlive it as long as the operator wants."""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from config.variables import Environment
from messaging.models import Installation, User
from messaging.services.installation import adopt_secret_key, secret_key_is_known
from tests.databases import migrated_database
from tests.live_server import served_by
from tests.programs import manage, run

KEY: Final = "a-key-long-enough-to-be-one-0123456789"
OTHER: Final = "another-one-long-enough-too-9876543210"
REFUSAL: Final = "parley: Another secret key is that of this database: "


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


def stored() -> str:
    return Installation.objects.get().secret_key_fingerprint


def use(settings: Settings, key: str, *fallbacks: str) -> None:
    settings.SECRET_KEY = key
    settings.SECRET_KEY_FALLBACKS = [*fallbacks]


@pytest.mark.django_db
def test_the_first_node_brings_the_key_of_all(settings: Settings) -> None:
    use(settings, OTHER)
    assert secret_key_is_known()
    assert stored() == ""
    use(settings, KEY)
    assert adopt_secret_key()
    kept = stored()
    use(settings, OTHER)
    assert not adopt_secret_key()
    assert not secret_key_is_known()
    assert stored() == kept


@pytest.mark.django_db
def test_the_database_tells_nobody_the_key(settings: Settings) -> None:
    use(settings, KEY)
    adopt_secret_key()
    assert len(stored()) == 32
    assert KEY not in str(Installation.objects.values().get())


@pytest.mark.django_db
def test_a_key_is_replaced_by_whoever_knows_the_old_one(settings: Settings) -> None:
    use(settings, KEY)
    adopt_secret_key()
    use(settings, OTHER, KEY)
    # A node that was told of the next key, and does not sign with it yet.
    assert secret_key_is_known()
    assert adopt_secret_key()
    use(settings, KEY)
    assert not adopt_secret_key()
    use(settings, OTHER)
    assert adopt_secret_key()


@pytest.mark.django_db
def test_a_copy_may_get_another_key(settings: Settings) -> None:
    use(settings, KEY)
    adopt_secret_key()
    use(settings, OTHER)
    call_command("renew_epoch", verbosity=0)
    assert adopt_secret_key()
    use(settings, KEY)
    assert not adopt_secret_key()


def node(environment: Mapping[str, str], *keys: str) -> str:
    """Start a worker up to where it would serve; what it wrote on standard error."""
    key, *fallbacks = keys
    process = run(
        {
            **environment,
            "PARLEY_SECRET_KEY": key,
            "PARLEY_SECRET_KEY_FALLBACKS": ",".join(fallbacks),
        },
        *(sys.executable, "-c", "import config.asgi"),
    )
    assert (process.returncode != 0) == bool(process.stderr)
    return process.stderr


@pytest.mark.django_db
@pytest.mark.slow
def test_a_node_with_a_key_of_its_own_does_not_start(tmp_path: Path) -> None:
    with migrated_database(tmp_path) as url:
        environment = served_by(url, tmp_path)
        assert node(environment, KEY) == ""
        assert node(environment, OTHER).startswith(REFUSAL)
        assert node(environment, OTHER).count("\n") == 1
        assert node(environment, KEY) == ""
        assert node(environment, OTHER, KEY) == ""
        assert node(environment, KEY).startswith(REFUSAL)

        # What signs refuses too; what does not, does its work.
        wrong = {**environment, "PARLEY_SECRET_KEY": KEY}
        assert manage(wrong, "setup_code").stderr.startswith(REFUSAL)
        assert manage(wrong, "migrate").returncode == 0
        assert manage(wrong, "renew_epoch").returncode == 0
        assert node(environment, KEY) == ""
        assert node(environment, OTHER).startswith(REFUSAL)


@pytest.mark.django_db
@pytest.mark.slow
def test_of_two_first_nodes_with_different_keys_one_is_refused(tmp_path: Path) -> None:
    with (
        migrated_database(tmp_path) as url,
        ThreadPoolExecutor(2) as threads,
    ):
        environment = served_by(url, tmp_path)
        said = [*threads.map(partial(node, environment), (KEY, OTHER))]
        first, refused = sorted(said)
        assert first == ""
        assert refused.startswith(REFUSAL)
        # It is the one that stays refused.
        assert [node(environment, key) for key in (KEY, OTHER)] == said
