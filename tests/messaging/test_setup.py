"""The first run: who has the code makes the first account, an administrator's."""

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from messaging.errors import (
    AlreadySetUpError,
    DomainError,
    InvalidDisplayNameError,
    InvalidPasswordError,
    InvalidServerNameError,
    InvalidSetupCodeError,
    InvalidUsernameError,
)
from messaging.models import Installation, User
from messaging.services.installation import server_name
from messaging.services.setup import is_empty, set_up, setup_code
from tests.conftest import PASSWORD, RunBeforeQuery


def set_up_with(**changed: str) -> User:
    given = {
        "code": setup_code() if is_empty() else "",
        "server_name": "Elm Street",
        "username": "ada",
        "password": PASSWORD,
        "display_name": "Ada",
    }
    return set_up(**{**given, **changed})


def test_the_first_account_is_the_administrators_and_the_place_has_a_name(
    db: None,
) -> None:
    assert server_name() == "Parley"
    ada = set_up_with()
    assert User.objects.get() == ada
    assert (ada.is_staff, ada.is_superuser, ada.is_active) == (True, True, True)
    assert ada.check_password(PASSWORD)
    assert server_name() == "Elm Street"


def test_the_code_is_taken_however_it_is_typed(db: None) -> None:
    code = setup_code()
    assert set_up_with(code=f" {code.lower().replace('-', ' ')} ").is_superuser


@pytest.mark.parametrize("code", ["", "guess", "é" * 16, "-" * 16, "\x00", "\ud800"])
def test_a_wrong_code_makes_nobody_an_administrator(db: None, code: str) -> None:
    with pytest.raises(InvalidSetupCodeError):
        set_up_with(code=code)
    assert is_empty()
    assert server_name() == "Parley"


def test_the_code_stays_over_restarts_and_is_stored_nowhere(db: None) -> None:
    code = setup_code()
    assert setup_code() == code
    stored = str(list(Installation.objects.values()))
    assert code not in stored
    assert code.replace("-", "") not in stored


def test_the_code_takes_both_the_secret_key_and_the_database(
    db: None, settings: Settings
) -> None:
    code = setup_code()
    settings.SECRET_KEY = "another " * 8
    with pytest.raises(InvalidSetupCodeError):
        set_up_with(code=code)


def test_a_used_code_opens_nothing_when_all_accounts_are_gone(db: None) -> None:
    code = setup_code()
    set_up_with(code=code).delete()
    assert is_empty()
    with pytest.raises(InvalidSetupCodeError):
        set_up_with(code=code)
    assert set_up_with(code=setup_code()).is_superuser


@pytest.mark.parametrize("suspended", [False, True])
def test_with_an_account_the_first_run_is_over(ann: User, *, suspended: bool) -> None:
    User.objects.update(is_active=not suspended)
    for refused in (setup_code, set_up_with):
        with pytest.raises(AlreadySetUpError):
            refused()
    assert User.objects.get() == ann


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"server_name": " "}, InvalidServerNameError),
        ({"server_name": "x" * 61}, InvalidServerNameError),
        ({"server_name": "a\u202eb"}, InvalidServerNameError),
        ({"username": "no spaces"}, InvalidUsernameError),
        ({"display_name": "x" * 101}, InvalidDisplayNameError),
        ({"password": "short"}, InvalidPasswordError),
    ],
)
def test_what_is_refused_leaves_the_place_as_it_was(
    db: None, changed: dict[str, str], error: type[DomainError]
) -> None:
    code = setup_code()
    with pytest.raises(error):
        set_up_with(**changed)
    assert is_empty()
    assert (server_name(), setup_code()) == ("Parley", code)


def register(username: str) -> Callable[[], object]:
    return lambda: User.objects.create_user(username, PASSWORD)


def test_who_is_overtaken_before_the_lock_is_no_administrator(
    db: None, run_before_query: RunBeforeQuery
) -> None:
    with (
        pytest.raises(AlreadySetUpError),
        run_before_query(register("bob"), before='"setup_key" FROM'),
    ):
        set_up(
            code=setup_code(),
            server_name="Elm Street",
            username="ada",
            password=PASSWORD,
            display_name=None,
        )
    assert [user.username for user in User.objects.all()] == ["bob"]
    assert server_name() == "Parley"


def test_who_is_overtaken_by_a_namesake_is_no_administrator(
    db: None, run_before_query: RunBeforeQuery
) -> None:
    code = setup_code()
    with (
        pytest.raises(AlreadySetUpError),
        run_before_query(register("ada"), before='INSERT INTO "messaging_user"'),
    ):
        set_up_with(code=code)
    assert not User.objects.filter(is_superuser=True).exists()
    assert server_name() == "Parley"


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("setup_code", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_the_command_shows_the_code_and_where_to_give_it(db: None) -> None:
    assert said().strip() == setup_code()
    text = said("--at", "http://127.0.0.1:8000")
    assert "http://127.0.0.1:8000/setup" in text
    assert setup_code() in text


def test_once_there_is_an_account_a_start_says_nothing(ann: User) -> None:
    assert said("--at", "http://127.0.0.1:8000") == ""
    with pytest.raises(CommandError, match="administrator already"):
        said()
