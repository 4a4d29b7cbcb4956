"""Passwords: changing them, and what is done by whoever knew the old one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate

from messaging.errors import (
    InvalidPasswordError,
    SignInError,
    UserNotFoundError,
    WrongPasswordError,
)
from messaging.ids import TokenId
from messaging.models import AccessToken, User
from messaging.services.deletion import delete_account
from messaging.services.passwords import change_password, set_password
from messaging.services.tokens import (
    issue_after_guess,
    issue_token,
    sign_in,
    valid_token,
)
from tests.conftest import PASSWORD, Meanwhile

NEW_PASSWORD = "another horse, another battery"
# Asked for the password that is stored, once it was tried and before anything is done.
_HELD = 'SELECT "messaging_user"."password"'


def same(user: User) -> User:
    """As another request has loaded them."""
    return User.objects.get(pk=user.pk)


def change(user: User) -> None:
    change_password(user=user, current=PASSWORD, new=NEW_PASSWORD, keep_token=None)


def enter(user: User) -> None:
    sign_in(username=user.username, password=PASSWORD, name="", expires_in=None)


def make_token(user: User) -> None:
    issue_after_guess(user=user, name="", expires_in=None)


def end(user: User) -> None:
    delete_account(user=user, password=PASSWORD)


def test_a_new_password_replaces_the_old_one(ann: User) -> None:
    change_password(user=ann, current=PASSWORD, new=NEW_PASSWORD, keep_token=None)
    assert authenticate(username="ann", password=PASSWORD) is None
    assert authenticate(username="ann", password=NEW_PASSWORD) == ann


def test_a_new_password_revokes_all_tokens_but_the_one_in_use(
    ann: User, bob: User
) -> None:
    used, other, bobs = (
        issue_token(user=user, name="", expires_in=timedelta(days=1))
        for user in (ann, ann, bob)
    )
    change_password(
        user=ann,
        current=PASSWORD,
        new=NEW_PASSWORD,
        keep_token=TokenId(used.token.pk),
    )
    assert valid_token(secret=used.secret) == used.token
    assert valid_token(secret=other.secret) is None
    assert valid_token(secret=bobs.secret) == bobs.token


@pytest.mark.parametrize(
    ("current", "new", "error"),
    [
        ("wrong", NEW_PASSWORD, WrongPasswordError),
        (PASSWORD, "short", InvalidPasswordError),
    ],
)
def test_a_refused_password_changes_nothing(
    ann: User, current: str, new: str, error: type[Exception]
) -> None:
    token = issue_token(user=ann, name="", expires_in=None).token
    with pytest.raises(error):
        change_password(user=ann, current=current, new=new, keep_token=None)
    assert authenticate(username="ann", password=PASSWORD) == ann
    assert AccessToken.objects.get() == token


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        (change, WrongPasswordError),
        (enter, SignInError),
        (make_token, WrongPasswordError),
        (end, WrongPasswordError),
    ],
)
def test_a_password_that_was_changed_meanwhile_opens_nothing(
    ann: User,
    meanwhile: Meanwhile,
    deed: Callable[[User], None],
    error: type[Exception],
) -> None:
    owner = same(ann)

    def react() -> None:
        new = "what the owner chose just now"
        change_password(user=owner, current=PASSWORD, new=new, keep_token=None)

    with meanwhile(react, before=_HELD), pytest.raises(error):
        deed(ann)
    assert User.objects.filter(pk=ann.pk).exists()
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        (change, UserNotFoundError),
        (enter, SignInError),
        (make_token, UserNotFoundError),
    ],
)
def test_of_an_account_that_was_deleted_meanwhile_nothing_comes_back(
    ann: User,
    meanwhile: Meanwhile,
    deed: Callable[[User], None],
    error: type[Exception],
) -> None:
    with meanwhile(same(ann).delete, before=_HELD), pytest.raises(error):
        deed(ann)
    assert not AccessToken.objects.exists()


def test_an_operator_is_told_that_the_account_is_gone(
    ann: User, meanwhile: Meanwhile
) -> None:
    with (
        meanwhile(same(ann).delete, before='FROM "messaging_user"'),
        pytest.raises(UserNotFoundError),
    ):
        set_password(user=ann, new=NEW_PASSWORD)


def test_no_door_takes_a_password_too_long_for_another(ann: User) -> None:
    with pytest.raises(InvalidPasswordError) as refusal:
        set_password(user=ann, new="x7 " * 334)
    assert refusal.value.field == "password"
