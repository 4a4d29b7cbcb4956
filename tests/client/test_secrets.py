"""Tokens and passwords are nowhere but where they are asked for."""

import logging
import traceback
from datetime import UTC, datetime

import pytest

from parley_client import NoAnswerError, Parley, RefusedError, errors, models
from parley_client.base import Request
from parley_client.operations import auth_create_token
from tests.client.conftest import SignIn
from tests.client.proxy import NetworkFault, faulty_proxy
from tests.client.sse_server import ScriptedConnection, event_server
from tests.live_server import PASSWORD, LiveServer, Person

SECRET = "a token that nobody may see"


def test_no_repr_shows_a_secret() -> None:
    shown = [
        Parley("https://chat.example.org", token=SECRET),
        models.RegisterIn(username="ann", password=SECRET, invite_code=SECRET),
        models.PasswordIn(current_password=SECRET, new_password=SECRET),
        models.Registered(
            user=models.Profile(
                id=1,
                username="ann",
                display_name="Ann",
                who_may_add="everyone",
                shows_presence=True,
                send_key="enter",
            ),
            token=SECRET,
        ),
        models.IssuedInvitation(
            id=1,
            created_by=None,
            max_uses=1,
            used=0,
            created_at=datetime.now(UTC),
            expires_at=None,
            invite_code=SECRET,
            url=SECRET,
        ),
        auth_create_token(models.TokenIn(username="ann", password=SECRET)),
    ]
    for thing in shown:
        assert SECRET not in f"{thing!r} {thing}"
    assert repr(shown[0]) == "Parley('https://chat.example.org')"


@pytest.mark.django_db
def test_no_log_holds_a_secret(
    server: LiveServer, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        Parley.sign_in(server.urls[0], ann.username, PASSWORD) as parley,
    ):
        parley.me.get()
        token = parley.token
        parley.tokens.revoke_current()
        with pytest.raises(errors.NotAuthenticatedError):
            parley.me.get()
    assert token is not None
    assert any(record.name == "httpcore.http11" for record in caplog.records)
    assert token not in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.django_db
def test_no_exception_contains_a_secret(
    server: LiveServer, ann: Person, sign_in: SignIn
) -> None:
    with (
        faulty_proxy(server.urls[0], lambda _: NetworkFault.DROPPED_ANSWER) as proxy,
        pytest.raises(NoAnswerError) as lost,
    ):
        Parley.sign_in(proxy.url, ann.username, PASSWORD)
    with pytest.raises(RefusedError) as refused:
        sign_in(ann).me.delete(password=f"not {PASSWORD}")
    for caught in (lost, refused):
        trace = "".join(traceback.format_exception(caught.value))
        assert PASSWORD not in trace
        assert ann.token not in trace


def test_an_answer_that_makes_no_sense_is_not_quoted() -> None:
    wrong = f'{{"user": null, "token": "{SECRET}"}}'.encode()
    with (
        event_server(ScriptedConnection([wrong], kind="application/json")) as server,
        pytest.raises(errors.UnexpectedAnswerError) as caught,
    ):
        Parley.register(server.url, "ann", "password")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("token", ["", "two\r\nlines", "umläut"])
def test_what_is_no_token_is_refused_without_being_quoted(token: str) -> None:
    with pytest.raises(ValueError, match="A token is") as caught:
        Parley("https://chat.example.org", token=token)
    assert str(caught.value) == "A token is printable ASCII."


@pytest.mark.parametrize(
    "url", ["chat.example.org", "ftp://chat.example.org", "https://", "https://a:b@c"]
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="The URL is like"):
        Parley(url)


def test_a_body_is_sent_whole_all_the_same() -> None:
    request: Request[models.IssuedToken] = auth_create_token(
        models.TokenIn(username="ann", password=SECRET)
    )
    assert request.body is not None
    assert SECRET in request.body.model_dump_json()
