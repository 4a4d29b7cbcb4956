"""What networks do to requests and answers, the client makes good."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from parley_client import NoAnswerError, Parley, errors
from tests.client.conftest import SignIn
from tests.client.proxy import NetworkFault, Plan, faulty_proxy
from tests.live_server import PASSWORD, LiveServer, Person

pytestmark = pytest.mark.django_db

SENDS: Final = 1000
THREADS: Final = 8

# Two requests of three go wrong somehow. The costly ones are rarer.
_SOME: Final = (
    NetworkFault.NONE,
    NetworkFault.DROPPED_REQUEST,
    NetworkFault.NONE,
    NetworkFault.DROPPED_ANSWER,
    NetworkFault.BROKEN_ANSWER,
    NetworkFault.REPEATED_ANSWER,
    NetworkFault.NONE,
    NetworkFault.REPEATED_REQUEST,
    NetworkFault.BAD_GATEWAY,
)

# All that need no waiting for the client to give up.
BRIEF: Final = sorted(set(NetworkFault) - {NetworkFault.HELD_ANSWER}, key=str)

OF_ONE_REQUEST: Final = [
    fault for fault in BRIEF if fault != NetworkFault.REPEATED_REQUEST
]


def always(fault: NetworkFault) -> Plan:
    return lambda _: fault


def second(fault: NetworkFault) -> Plan:
    """What happens to the second request; the others are passed on."""
    return lambda number: fault if number == 1 else NetworkFault.NONE


def first(fault: NetworkFault) -> Plan:
    """What happens to the first request; the others are passed on."""
    return lambda number: fault if number == 0 else NetworkFault.NONE


def now_and_then(number: int) -> NetworkFault:
    if number % 500 == 100:
        return NetworkFault.HELD_ANSWER
    if number % 500 == 150:
        return NetworkFault.BUSY
    return _SOME[number % len(_SOME)]


def test_a_thousand_sends_lose_and_double_nothing(
    server: LiveServer, sign_in: SignIn, ann: Person, bob: Person
) -> None:
    conversation_id = sign_in(ann).conversations.start(bob.username).id
    contents = [f"message {number}" for number in range(SENDS)]
    with faulty_proxy(server.urls[0], now_and_then) as proxy:
        parley = sign_in(ann, url=proxy.url, timeout=5, retries=20)
        conversation = parley.conversations.get(conversation_id)
        with ThreadPoolExecutor(THREADS) as threads:
            sent = list(threads.map(conversation.send, contents))
        parley.close()
        happened = Counter(fault for _, fault in proxy.seen)
    # Each send was answered with its own message …
    assert [message.content for message in sent] == contents
    # … which is there, once.
    received = sign_in(bob).conversations.get(conversation_id).messages(page_size=200)
    assert sorted(m.id for m in received) == sorted(m.id for m in sent)
    assert sorted(m.sequence for m in sent) == list(range(1, SENDS + 1))
    assert happened.keys() == set(NetworkFault)
    assert sum(happened.values()) > SENDS * 1.3


@pytest.mark.parametrize("fault", BRIEF, ids=str)
def test_an_edit_is_done_once(
    fault: NetworkFault,
    server: LiveServer,
    sign_in: SignIn,
    ann: Person,
    bob: Person,
) -> None:
    message = sign_in(ann).messages.send(bob.username, "first")
    with (
        faulty_proxy(server.urls[0], second(fault)) as proxy,
        sign_in(ann, url=proxy.url) as parley,
    ):
        edited = parley.messages.get(message.id).edit("second")
    assert (edited.content, edited.version) == ("second", 2)
    assert [version.content for version in message.history()] == ["first", "second"]


# Of a request that somebody else repeats the client knows nothing.
@pytest.mark.parametrize("replied", [False, True])
@pytest.mark.parametrize("fault", OF_ONE_REQUEST, ids=str)
def test_a_deletion_whose_answer_was_lost_is_done(
    fault: NetworkFault,
    replied: bool,
    server: LiveServer,
    sign_in: SignIn,
    ann: Person,
    bob: Person,
) -> None:
    message = sign_in(ann).messages.send(bob.username, "hello")
    if replied:
        message.reply("and a tombstone stays")
    with (
        faulty_proxy(server.urls[0], second(fault)) as proxy,
        sign_in(ann, url=proxy.url) as parley,
    ):
        parley.messages.get(message.id).delete()
    if replied:
        assert message.refresh().deleted
    else:
        with pytest.raises(errors.MessageNotFoundError):
            message.refresh()


def test_signing_out_is_done_though_its_answer_was_lost(
    server: LiveServer, sign_in: SignIn, ann: Person
) -> None:
    with (
        faulty_proxy(server.urls[0], first(NetworkFault.DROPPED_ANSWER)) as proxy,
        sign_in(ann, url=proxy.url) as parley,
    ):
        parley.tokens.revoke_current()
    with pytest.raises(errors.NotAuthenticatedError):
        sign_in(ann).me.get()


def test_what_is_gone_is_an_error_if_nothing_was_lost(
    sign_in: SignIn, ann: Person, bob: Person
) -> None:
    message = sign_in(ann).messages.send(bob.username, "hello")
    message.delete()
    with pytest.raises(errors.MessageNotFoundError):
        message.delete()


def test_an_answer_that_is_held_is_asked_for_again(
    server: LiveServer, sign_in: SignIn, ann: Person
) -> None:
    with (
        faulty_proxy(server.urls[0], first(NetworkFault.HELD_ANSWER)) as proxy,
        sign_in(ann, url=proxy.url, timeout=1, retries=20) as parley,
    ):
        assert parley.me.get().username == ann.username


def test_answers_that_come_again_are_nobody_elses(
    server: LiveServer, sign_in: SignIn, ann: Person, bob: Person
) -> None:
    conversation_id = sign_in(ann).conversations.start(bob.username).id
    with (
        faulty_proxy(server.urls[0], always(NetworkFault.REPEATED_ANSWER)) as proxy,
        sign_in(ann, url=proxy.url) as parley,
    ):
        conversation = parley.conversations.get(conversation_id)
        for number in range(10):
            assert conversation.send(f"{number}").content == f"{number}"
            assert parley.me.get().username == ann.username


@pytest.mark.parametrize(
    "fault", [NetworkFault.DROPPED_REQUEST, NetworkFault.DROPPED_ANSWER], ids=str
)
def test_what_cannot_be_repeated_is_sent_once(
    fault: NetworkFault, server: LiveServer, sign_in: SignIn, ann: Person
) -> None:
    with (
        faulty_proxy(server.urls[0], always(fault)) as proxy,
        sign_in(ann, url=proxy.url) as parley,
    ):
        with pytest.raises(NoAnswerError):
            parley.me.change_password(current=PASSWORD, new="another one, longer")
        with pytest.raises(NoAnswerError):
            parley.me.delete(password=PASSWORD)
        with pytest.raises(NoAnswerError):
            Parley.register(proxy.url, f"{ann.username}-2", PASSWORD)
    assert [line.split()[0] for line, _ in proxy.seen] == ["PUT", "DELETE", "POST"]


def test_it_gives_up_after_so_many_attempts(
    server: LiveServer, sign_in: SignIn, ann: Person
) -> None:
    with (
        faulty_proxy(server.urls[0], always(NetworkFault.DROPPED_REQUEST)) as proxy,
        sign_in(ann, url=proxy.url, retries=3) as parley,
        pytest.raises(NoAnswerError, match="me_get"),
    ):
        parley.me.get()
    assert len(proxy.seen) == 4


def test_a_server_that_is_not_there_does_not_answer() -> None:
    parley = Parley("http://127.0.0.1:1", token="secret", retries=1)
    with parley, pytest.raises(NoAnswerError):
        parley.me.get()


def test_what_is_no_parley_server_is_no_answer(
    server: LiveServer, sign_in: SignIn, ann: Person
) -> None:
    with (
        faulty_proxy(server.urls[0], always(NetworkFault.BAD_GATEWAY)) as proxy,
        sign_in(ann, url=proxy.url, retries=1) as parley,
        pytest.raises(errors.UnexpectedAnswerError) as caught,
    ):
        parley.me.get()
    assert caught.value.status == 502
    assert len(proxy.seen) == 2


def test_an_export_that_breaks_off_is_no_export(
    server: LiveServer, sign_in: SignIn, ann: Person
) -> None:
    with (
        faulty_proxy(server.urls[0], always(NetworkFault.DROPPED_ANSWER)) as proxy,
        sign_in(ann, url=proxy.url) as parley,
        pytest.raises(NoAnswerError),
    ):
        list(parley.me.export())
