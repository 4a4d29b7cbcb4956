"""Bearer tokens."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from messaging.errors import (
    InvalidCursorError,
    SignInError,
    TokenNotFoundError,
    TooManyTokensError,
)
from messaging.ids import TokenId, UserId
from messaging.models import AccessToken, User
from messaging.services.tokens import (
    issue_token,
    revoke_token,
    sign_in,
    token_page,
    valid_token,
)
from tests.conftest import PASSWORD


def test_a_token_acts_for_its_person(ann: User) -> None:
    issued = issue_token(user=ann, name="phone", expires_in=None)
    found = valid_token(secret=issued.secret)
    assert found == issued.token
    assert found is not None
    assert found.user == ann


def test_the_secret_is_not_kept(ann: User) -> None:
    issued = issue_token(user=ann, name="phone", expires_in=None)
    row = AccessToken.objects.values().get()
    assert issued.secret not in str(row)
    assert len(issued.secret) == 43
    assert str(issued.token) == f"phone of {ann.pk}"


def test_no_two_secrets_are_the_same(ann: User) -> None:
    secrets = {issue_token(user=ann, name="", expires_in=None).secret for _ in range(5)}
    assert len(secrets) == 5


@pytest.mark.django_db
def test_an_unknown_secret_acts_for_nobody() -> None:
    assert valid_token(secret="x" * 43) is None


def test_a_token_expires_when_it_was_said_to(ann: User) -> None:
    issued = issue_token(user=ann, name="", expires_in=timedelta(hours=1))
    assert issued.token.expires_at == issued.token.created_at + timedelta(hours=1)
    assert valid_token(secret=issued.secret) == issued.token
    AccessToken.objects.update(expires_at=timezone.now())
    assert valid_token(secret=issued.secret) is None


def test_a_suspended_persons_token_is_not_valid(ann: User) -> None:
    issued = issue_token(user=ann, name="", expires_in=None)
    User.objects.update(is_active=False)
    assert valid_token(secret=issued.secret) is None


def test_a_revoked_token_is_not_valid(ann: User) -> None:
    issued = issue_token(user=ann, name="", expires_in=None)
    revoke_token(owner=UserId(ann.pk), token_id=TokenId(issued.token.pk))
    assert valid_token(secret=issued.secret) is None


def test_nobody_revokes_what_is_not_theirs(ann: User, bob: User) -> None:
    issued = issue_token(user=ann, name="", expires_in=None)
    for token_id in (TokenId(issued.token.pk), None):
        with pytest.raises(TokenNotFoundError):
            revoke_token(owner=UserId(bob.pk), token_id=token_id)
    assert valid_token(secret=issued.secret) == issued.token


def test_a_revoked_token_cannot_be_revoked_again(ann: User) -> None:
    token_id = TokenId(issue_token(user=ann, name="", expires_in=None).token.pk)
    revoke_token(owner=UserId(ann.pk), token_id=token_id)
    with pytest.raises(TokenNotFoundError):
        revoke_token(owner=UserId(ann.pk), token_id=token_id)


def test_tokens_are_listed_newest_first_and_expired_ones_too(
    ann: User, bob: User
) -> None:
    issue_token(user=bob, name="bob's", expires_in=None)
    for name in ("one", "two", "three"):
        issue_token(user=ann, name=name, expires_in=timedelta(seconds=-1))
    first = token_page(owner=UserId(ann.pk), cursor=None, limit=2)
    rest = token_page(owner=UserId(ann.pk), cursor=first.next_cursor, limit=2)
    assert [token.name for token in first.items] == ["three", "two"]
    assert [token.name for token in rest.items] == ["one"]
    assert rest.next_cursor is None


def test_a_list_of_tokens_refuses_another_lists_cursor(ann: User) -> None:
    with pytest.raises(InvalidCursorError):
        token_page(owner=UserId(ann.pk), cursor="WyJ4IiwxXQ", limit=2)


def test_case_does_not_matter_at_sign_in(ann: User) -> None:
    issued = sign_in(
        username="ANN", password=PASSWORD, name="phone", expires_in=timedelta(days=1)
    )
    assert valid_token(secret=issued.secret) == issued.token
    assert (issued.token.user, issued.token.name) == (ann, "phone")


def test_failures_to_sign_in_are_indistinguishable(ann: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    refusals = set()
    for name, password in (("ann", "wrong"), ("nobody", PASSWORD), ("bob", PASSWORD)):
        with pytest.raises(SignInError) as refusal:
            sign_in(username=name, password=password, name="", expires_in=None)
        refusals.add(str(refusal.value))
    assert len(refusals) == 1


def test_tokens_per_user_are_limited_and_the_error_names_the_oldest(
    ann: User, bob: User, settings: Settings
) -> None:
    settings.PARLEY_MAX_TOKENS = 2
    oldest = issue_token(user=ann, name="phone", expires_in=None).token
    issue_token(user=ann, name="laptop", expires_in=None)
    with pytest.raises(TooManyTokensError) as refusal:
        sign_in(username="ann", password=PASSWORD, name="", expires_in=None)
    assert f"“phone” (id {oldest.pk})" in str(refusal.value)
    assert AccessToken.objects.filter(user=ann).count() == 2
    issue_token(user=bob, name="phone", expires_in=None)
    issued = sign_in(
        username="ann",
        password=PASSWORD,
        name="new",
        expires_in=None,
        replaces=TokenId(oldest.pk),
    )
    names = AccessToken.objects.filter(user=ann).values_list("name", flat=True)
    assert set(names) == {"laptop", "new"}
    assert valid_token(secret=issued.secret) == issued.token


def test_nobody_replaces_another_persons_token(ann: User, bob: User) -> None:
    theirs = issue_token(user=bob, name="phone", expires_in=None)
    sign_in(
        username="ann",
        password=PASSWORD,
        name="",
        expires_in=None,
        replaces=TokenId(theirs.token.pk),
    )
    assert valid_token(secret=theirs.secret) == theirs.token


def test_expired_tokens_make_room(ann: User, settings: Settings) -> None:
    settings.PARLEY_MAX_TOKENS = 2
    for _ in range(2):
        issue_token(user=ann, name="old", expires_in=timedelta(hours=1))
    AccessToken.objects.update(expires_at=timezone.now())
    issue_token(user=ann, name="new", expires_in=None)
    assert AccessToken.objects.get().name == "new"
