"""Settings, read once from the environment."""

from pathlib import Path

import pydantic
import pytest

from config.secret_key import kept_secret_key
from config.variables import CHECKOUT, Environment


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without the variables of whoever runs the tests."""
    for name in Environment.model_fields:
        monkeypatch.delenv(f"PARLEY_{name.upper()}", raising=False)
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_without_variables_it_is_safe_and_local(
    environment: pytest.MonkeyPatch,
) -> None:
    read = Environment()
    assert (read.debug, read.https, read.secret_key) == (False, False, "")
    assert read.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert (read.database_url, read.redis_url) == ("", "")
    assert read.data_dir == CHECKOUT / "var"
    assert read.max_participants == 1000


def test_variables_are_typed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PARLEY_DEBUG", "true")
    environment.setenv("PARLEY_ALLOWED_HOSTS", " a.example ,b.example,")
    environment.setenv("PARLEY_CSRF_TRUSTED_ORIGINS", "https://a.example")
    environment.setenv("PARLEY_DATA_DIR", "/data")
    environment.setenv("PARLEY_MAX_PARTICIPANTS", "5")
    environment.setenv("DATABASE_URL", "postgres://host/name")
    read = Environment()
    assert read.debug is True
    assert read.allowed_hosts == ("a.example", "b.example")
    assert read.csrf_trusted_origins == ("https://a.example",)
    assert read.data_dir == Path("/data")
    assert read.max_participants == 5
    assert read.database_url == "postgres://host/name"


@pytest.mark.parametrize("name", ["ALLOWED_HOSTS", "DEBUG", "MAX_BODY_BYTES"])
def test_empty_means_the_default(environment: pytest.MonkeyPatch, name: str) -> None:
    default = Environment()
    environment.setenv(f"PARLEY_{name}", "")
    assert Environment() == default


@pytest.mark.parametrize(
    ("name", "value"),
    [("DEBUG", "perhaps"), ("MAX_PARTICIPANTS", "0"), ("MAX_BODY_BYTES", "many")],
)
def test_nonsense_stops_the_start(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(f"PARLEY_{name}", value)
    with pytest.raises(pydantic.ValidationError, match=f"PARLEY_{name}|{name.lower()}"):
        Environment()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, field in Environment.model_fields.items()
        if field.annotation is int
    ],
)
def test_each_number_has_bounds_and_plain_digits(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    for value in ("9" * 14, "-1", "1_0", " 5"):
        environment.setenv(f"PARLEY_{name.upper()}", value)
        with pytest.raises(pydantic.ValidationError):
            Environment()


def test_hosts_are_taken_as_they_are() -> None:
    assert Environment(allowed_hosts=("a",)).allowed_hosts == ("a",)


def test_a_secret_key_is_written_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret-key"
    key = kept_secret_key(path)
    assert len(key) == 64
    assert kept_secret_key(path) == path.read_text() == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_no_two_installations_have_one_secret_key(tmp_path: Path) -> None:
    keys = {kept_secret_key(tmp_path / name / "key") for name in "abc"}
    assert len(keys) == 3
