"""The demo's first run, on an empty database."""

from pathlib import Path

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from tests.conftest import MakeUser
from tests.seeding import all_rows, seed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


def test_only_the_owner_can_read_the_password(data_dir: Path) -> None:
    seed()
    file = data_dir / "demo-password"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(data_dir.iterdir()) == [file]


def test_every_installation_has_another_password(data_dir: Path) -> None:
    seed()
    first = (data_dir / "demo-password").read_text()
    (data_dir / "demo-password").unlink()
    seed()
    assert (data_dir / "demo-password").read_text() != first


def test_a_real_account_with_a_name_of_the_demo_is_not_touched(
    data_dir: Path, make_user: MakeUser
) -> None:
    make_user("Kenji")
    before = all_rows()
    with pytest.raises(CommandError, match="usernames that real accounts have: Kenji"):
        seed()
    assert all_rows() == before
    assert not data_dir.exists()


def test_a_refused_run_leaves_nothing(settings: Settings, data_dir: Path) -> None:
    settings.PARLEY_MAX_PARTICIPANTS = 29
    with pytest.raises(CommandError, match="at most 29 participants"):
        seed()
    assert not any(all_rows())
    settings.PARLEY_MAX_PARTICIPANTS = 30
    assert seed().startswith("The demo is filled in.")
