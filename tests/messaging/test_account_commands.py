"""Commands for operators: accounts, invites and service tokens."""

import io
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from typing_extensions import override

from messaging.models import AccessToken, InviteCode, ServiceToken, Session, User
from messaging.services.service_tokens import create_service_token, valid_service_token
from messaging.services.tokens import issue_token
from messaging.services.users import register
from tests.conftest import PASSWORD

Typed = Callable[[str], None]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """What the command reads from standard input."""

    def type_in(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return type_in


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """What a person at a terminal answers."""

    class Terminal(io.StringIO):
        @override
        def isatty(self) -> bool:
            return True

    def answer(passwords: list[str]) -> None:
        left = {"Password: ": passwords[0], "Again: ": passwords[1]}
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr("getpass.getpass", lambda prompt: left[prompt])

    return answer


def run(*arguments: str) -> tuple[str, str]:
    """What a command says, on standard output and on standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err, no_color=True)
    return out.getvalue().strip(), err.getvalue().strip()


def test_an_account_is_opened_with_a_password_from_standard_input(
    typed: Typed, settings: Settings, db: None
) -> None:
    settings.PARLEY_REGISTRATION = "closed"
    typed(f"{PASSWORD}\nmore\n")
    said, _ = run("create_user", "ada", "--display-name", "Ada", "--password-stdin")
    assert said == "ada has an account."
    ada = User.objects.get()
    assert (ada.username, ada.display_name) == ("ada", "Ada")
    assert ada.check_password(PASSWORD)


def test_a_password_is_asked_for_twice(
    asked: Callable[[list[str]], None], db: None
) -> None:
    asked([PASSWORD, PASSWORD])
    run("create_user", "ada")
    assert User.objects.get().check_password(PASSWORD)
    asked([PASSWORD, "another one entirely"])
    with pytest.raises(CommandError, match="two different passwords"):
        run("set_password", "ada")
    assert User.objects.get().check_password(PASSWORD)


def test_without_a_terminal_nothing_is_asked(typed: Typed, db: None) -> None:
    typed(PASSWORD)
    with pytest.raises(CommandError, match="--password-stdin"):
        run("create_user", "ada")
    assert not User.objects.exists()


def test_an_account_without_a_password_asks_for_none(typed: Typed, db: None) -> None:
    typed("")
    run("create_user", "ada", "--no-password")
    assert not User.objects.get().has_usable_password()


@pytest.mark.parametrize(
    ("username", "password", "reason"),
    [
        ("ann", PASSWORD, "taken"),
        ("not a name", PASSWORD, "username"),
        ("ada", "short", "too short"),
        ("ada", "", "too short"),
    ],
)
def test_an_account_that_cannot_be_is_refused_in_words(
    typed: Typed, ann: User, username: str, password: str, reason: str
) -> None:
    typed(password)
    with pytest.raises(CommandError, match=reason):
        run("create_user", username, "--password-stdin")
    assert User.objects.count() == 1


def test_a_new_password_signs_its_person_out(
    typed: Typed, ann: User, bob: User
) -> None:
    for person in (ann, bob):
        issue_token(user=person, name="", expires_in=None)
        Client().force_login(person)
    typed("staple battery horse correct\n")
    said, _ = run("set_password", "ANN", "--password-stdin")
    assert said == "ann has a new password; ended 1 token and 1 session."
    ann.refresh_from_db()
    assert ann.check_password("staple battery horse correct")
    assert AccessToken.objects.get().user == bob
    assert Session.objects.get().user == bob


def test_a_weak_password_changes_nothing(typed: Typed, ann: User) -> None:
    issue_token(user=ann, name="", expires_in=None)
    typed("12345\n")
    with pytest.raises(CommandError, match="too short"):
        run("set_password", "ann", "--password-stdin")
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    assert AccessToken.objects.count() == 1


@pytest.mark.parametrize("command", ["set_password", "revoke_tokens"])
def test_an_unknown_name_is_named(typed: Typed, db: None, command: str) -> None:
    with pytest.raises(CommandError, match="no account named nobody"):
        run(command, "nobody")


def test_somebody_is_signed_out_everywhere(ann: User, bob: User) -> None:
    for person in (ann, ann, bob):
        issue_token(user=person, name="", expires_in=None)
        Client().force_login(person)
    said, _ = run("revoke_tokens", "ann")
    assert said == "Ended 2 tokens and 2 sessions of ann."
    assert AccessToken.objects.get().user == bob
    assert Session.objects.get().user == bob


def test_a_service_token_is_ended_by_its_name(db: None) -> None:
    kept = create_service_token(name="shop")
    create_service_token(name="blog")
    said, _ = run("revoke_tokens", "--service", "blog")
    assert said == "The service token blog is revoked."
    assert valid_service_token(secret=kept) == ServiceToken.objects.get()
    with pytest.raises(CommandError, match="no service token named blog"):
        run("revoke_tokens", "--service", "blog")


@pytest.mark.parametrize("arguments", [[], ["ann", "--service", "shop"]])
def test_tokens_of_one_are_revoked_at_a_time(ann: User, arguments: list[str]) -> None:
    issue_token(user=ann, name="", expires_in=None)
    with pytest.raises(CommandError):
        run("revoke_tokens", *arguments)
    assert AccessToken.objects.count() == 1


def test_a_service_token_alone_is_written_to_standard_output(db: None) -> None:
    secret, _ = run("create_service_token", "shop")
    found = valid_service_token(secret=secret)
    assert found is not None
    assert found.name == "shop"
    with pytest.raises(CommandError, match="named shop already"):
        run("create_service_token", "shop")


def test_an_invite_code_alone_is_written_to_standard_output(
    settings: Settings, db: None
) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    code, _ = run("create_invite", "--uses", "3", "--expires", "7d")
    invite = InviteCode.objects.get()
    assert (invite.max_uses, invite.used) == (3, 0)
    assert invite.expires_at == invite.created_at + timedelta(days=7)
    assert invite.expires_at > timezone.now()
    register(username="ada", password=PASSWORD, display_name=None, invite_code=code)
    assert User.objects.get().username == "ada"


def test_an_invite_is_for_one_person_and_does_not_expire_unless_said(db: None) -> None:
    run("create_invite")
    invite = InviteCode.objects.get()
    assert (invite.max_uses, invite.expires_at) == (1, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--uses", "0"],
        ["--uses", "many"],
        ["--expires", "0d"],
        ["--expires", "soon"],
        ["--expires", "7"],
    ],
)
def test_an_invite_that_could_not_be_used_is_not_made(
    db: None, arguments: list[str]
) -> None:
    with pytest.raises(CommandError):
        run("create_invite", *arguments)
    assert not InviteCode.objects.exists()


def test_a_database_error_is_reported_in_plain_words(db: None) -> None:
    connection.cursor().execute("ALTER TABLE messaging_servicetoken RENAME TO lost")
    with pytest.raises(CommandError, match="The database refused"):
        run("create_service_token", "shop")
