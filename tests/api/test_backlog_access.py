"""The backlog of a stream is read only while its credential is valid."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from django.test import Client

from api.events.backlog import read_backlog
from api.events.credentials import Credential
from messaging.ids import Position, TokenId, UserId
from messaging.models import Conversation, Message, User
from messaging.services import passwords, tokens
from messaging.services.events import read_log
from messaging.sessions import SessionStore
from tests.conftest import PASSWORD


def credentials_of(user: User) -> dict[str, Credential]:
    """A token, and a browser's session."""
    issued = tokens.issue_token(user=user, name="test", expires_in=None)
    browser = Client()
    browser.force_login(user)
    session = browser.cookies["sessionid"].value
    who = UserId(user.pk)
    return {
        "token": Credential(who, TokenId(issued.token.pk), None, user.password),
        "session": Credential(who, None, session, user.password),
    }


def suspend(user: User) -> None:
    user.is_active = False
    user.save()


def change_password(user: User) -> None:
    passwords.set_password(user=user, new=f"new {PASSWORD}")


ENDS: Mapping[str, Callable[[User], object]] = {
    "suspended": suspend,
    "password changed": change_password,
    "deleted": User.delete,
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", ["token", "session"])
def test_nothing_is_read_with_a_credential_that_ended(
    ann: User, bob: User, group: Conversation, kind: str, end: str
) -> None:
    credential = credentials_of(ann)[kind]
    Message.objects.create(sender=bob, conversation=group, content="hello")
    before = read_backlog(credential, log=read_log(), after=Position(0))
    assert before is not None
    assert before.frames
    ENDS[end](ann)
    assert read_backlog(credential, log=read_log(), after=Position(0)) is None


def test_a_revoked_token_reads_nothing_while_others_do(
    ann: User, group: Conversation
) -> None:
    revoked, other = (credentials_of(ann)["token"] for _ in range(2))
    tokens.revoke_token(owner=UserId(ann.pk), token_id=revoked.token)
    assert read_backlog(revoked, log=read_log(), after=Position(0)) is None
    assert read_backlog(other, log=read_log(), after=Position(0)) is not None


def test_a_browser_that_was_signed_out_reads_nothing_while_others_do(
    ann: User, group: Conversation
) -> None:
    signed_out, other = (credentials_of(ann)["session"] for _ in range(2))
    SessionStore(signed_out.session).delete()
    assert read_backlog(signed_out, log=read_log(), after=Position(0)) is None
    assert read_backlog(other, log=read_log(), after=Position(0)) is not None


def test_a_position_of_another_log_gives_a_reset(ann: User, message: Message) -> None:
    credential, log = credentials_of(ann)["token"], read_log()
    former = replace(log, epoch=log.epoch + 1)
    page = read_backlog(credential, log=former, after=log.clock)
    assert page is not None
    assert [frame.json for frame in page.frames] == [b'{"type":"reset"}']
    assert (page.log, page.reached) == (log, log.clock)
