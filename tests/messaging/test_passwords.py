"""Passwords: changing them, also while others use the old one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from pytest_django import Settings

from messaging.errors import (
    InvalidPasswordError,
    SignInError,
    UnchangedPasswordError,
    UserNotFoundError,
    WrongPasswordError,
)
from messaging.ids import TokenId
from messaging.models import AccessToken, User
from messaging.services.deletion import delete_account
from messaging.services.passwords import change_password, set_password
from messaging.services.tokens import (
    issue_after_password,
    issue_token,
    sign_in,
    valid_token,
)
from tests.conftest import PASSWORD, RunBeforeQuery
from tests.hashing import COUNTING_HASHERS, CountingHasher

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
    issue_after_password(user=user, name="", expires_in=None)


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
    ("action", "error"),
    [
        (change, WrongPasswordError),
        (enter, SignInError),
        (make_token, WrongPasswordError),
        (end, WrongPasswordError),
    ],
)
def test_a_concurrently_changed_password_is_refused(
    ann: User,
    run_before_query: RunBeforeQuery,
    action: Callable[[User], None],
    error: type[Exception],
) -> None:
    owner = same(ann)

    def change_password_now() -> None:
        new = "what the owner chose just now"
        change_password(user=owner, current=PASSWORD, new=new, keep_token=None)

    with run_before_query(change_password_now, before=_HELD), pytest.raises(error):
        action(ann)
    assert User.objects.filter(pk=ann.pk).exists()
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (change, UserNotFoundError),
        (enter, SignInError),
        (make_token, UserNotFoundError),
    ],
)
def test_a_concurrently_deleted_account_is_not_recreated(
    ann: User,
    run_before_query: RunBeforeQuery,
    action: Callable[[User], None],
    error: type[Exception],
) -> None:
    with run_before_query(same(ann).delete, before=_HELD), pytest.raises(error):
        action(ann)
    assert not AccessToken.objects.exists()


def test_set_password_reports_a_deleted_account(
    ann: User, run_before_query: RunBeforeQuery
) -> None:
    with (
        run_before_query(same(ann).delete, before='FROM "messaging_user"'),
        pytest.raises(UserNotFoundError),
    ):
        set_password(user=ann, new=NEW_PASSWORD)


def test_every_way_to_set_a_password_has_the_same_limit(ann: User) -> None:
    with pytest.raises(InvalidPasswordError) as refusal:
        set_password(user=ann, new="x7 " * 334)
    assert refusal.value.field == "password"


def test_an_unchanged_password_is_refused_before_it_is_hashed_again(
    ann: User, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = COUNTING_HASHERS
    ann.set_password(PASSWORD)
    ann.save()
    token = issue_token(user=ann, name="", expires_in=None)
    before = CountingHasher.hashed
    with pytest.raises(UnchangedPasswordError) as refusal:
        change_password(user=ann, current=PASSWORD, new=PASSWORD, keep_token=None)
    assert refusal.value.field == "new_password"
    assert CountingHasher.hashed == before + 1
    assert valid_token(secret=token.secret) == token.token


def test_a_wrong_password_that_stays_is_wrong_first(ann: User) -> None:
    with pytest.raises(WrongPasswordError):
        change_password(
            user=ann, current=NEW_PASSWORD, new=NEW_PASSWORD, keep_token=None
        )
