"""Whatever revokes access logs one event, which reveals nothing else."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from django.test import Client

from messaging.ids import TokenId, UserId
from messaging.models import AccessToken, Event, Session, User
from messaging.models.events import EventType
from messaging.services import passwords, sessions, tokens
from messaging.services.access_revocations import record_access_ended
from messaging.services.deliveries import deliver
from tests.messaging.logged import logged_by

PASSWORD = "correct horse battery staple"
NEW = "four other unrelated words"


def token_of(user: User) -> AccessToken:
    day = timedelta(days=1)
    return tokens.issue_token(user=user, name="", expires_in=day).token


def revoke(user: User) -> None:
    tokens.revoke_token(owner=UserId(user.pk), token_id=TokenId(token_of(user).pk))


def set_active(user: User) -> None:
    user.is_active = False
    user.save()


def sign_in_and_out(user: User) -> None:
    browser = Client()
    browser.force_login(user)
    browser.post("/sign-out")


def end_there(user: User) -> None:
    Client().force_login(user)
    [row] = Session.objects.filter(user=user)
    sessions.end_session(user_id=UserId(user.pk), reference=row.pk)


def end_others(user: User) -> None:
    Client().force_login(user)
    sessions.end_other_sessions(user_id=UserId(user.pk), current=None)


ENDS: Mapping[str, Callable[[User], object]] = {
    "token": revoke,
    "set-password": lambda user: passwords.set_password(user=user, new=NEW),
    "suspended": set_active,
    "signed-out": sign_in_and_out,
    "one-session": end_there,
    "other-sessions": end_others,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_revocation_is_logged_once_for_its_user(
    ann: User, end: Callable[[User], object]
) -> None:
    found = logged_by(lambda: end(ann))
    assert [(event.type, event.recipient_id, event.user_id) for event in found] == [
        (EventType.ACCESS_ENDED, ann.pk, None)
    ]


def test_an_action_that_revokes_nothing_logs_nothing(ann: User) -> None:
    def saved() -> None:
        ann.is_staff = True
        ann.save()
        ann.save(update_fields=["last_login"])
        sessions.end_other_sessions(user_id=UserId(ann.pk), current=None)
        passwords.sign_out(user=ann)

    assert logged_by(saved) == []


def test_an_access_revocation_is_delivered_to_nobody(ann: User) -> None:
    found = logged_by(lambda: record_access_ended(user_id=UserId(ann.pk)))
    assert deliver(found, audience=frozenset({UserId(ann.pk)})) == []
    assert Event.objects.filter(type=EventType.ACCESS_ENDED).count() == 1
