"""Expired rows are deleted, and nothing else."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from messaging.ids import UserId
from messaging.models import AccessToken, IdempotencyKey, LimitCounter, Session, User
from messaging.services import idempotency, tokens
from tests.conftest import MakeUser


def token(user: User, name: str, *, expired_for: timedelta | None) -> None:
    tokens.issue_token(user=user, name=name, expires_in=None)
    expires_at = None if expired_for is None else timezone.now() - expired_for
    AccessToken.objects.filter(name=name).update(expires_at=expires_at)


def test_expired_keys_sessions_tokens_and_counters_are_deleted(
    ann: User, bob: User, capsys: pytest.CaptureFixture[str]
) -> None:
    now = timezone.now()
    for user_id, age in ((ann, idempotency.KEPT_FOR), (bob, timedelta(0))):
        idempotency.claim(user_id=UserId(user_id.pk), key="k", fingerprint="f")
        keys = IdempotencyKey.objects.filter(user=user_id)
        keys.update(created_at=now - age)
    for key, left in (("ended", timedelta(-1)), ("open", timedelta(1))):
        Session.objects.create(session_key=key, expire_date=now + left)
    token(ann, "forever", expired_for=None)
    token(ann, "yesterday", expired_for=timedelta(days=1))
    token(ann, "long ago", expired_for=tokens.LISTED_FOR)
    for key, left in (("over", timedelta(-1)), ("running", timedelta(1))):
        LimitCounter.objects.create(key=key, used=1, expires_at=now + left)
    call_command("clear_expired")
    assert LimitCounter.objects.get().key == "running"
    assert IdempotencyKey.objects.get().user == bob
    assert Session.objects.get().session_key == "open"
    names = set(AccessToken.objects.values_list("name", flat=True))
    assert names == {"forever", "yesterday"}
    assert capsys.readouterr().out == (
        "Cleared 1 idempotency key.\nCleared 1 session.\nCleared 1 access token.\n"
        "Cleared 0 invitations.\nCleared 1 limit counter.\nCleared 0 events.\nCleared 0 looks.\nCleared 0 ephemeral rows.\n"
    )


def test_without_expired_rows_nothing_is_deleted(make_user: MakeUser) -> None:
    token(make_user("ann"), "forever", expired_for=None)
    call_command("clear_expired", verbosity=0)
    assert AccessToken.objects.count() == 1
