"""Limits over HTTP: what is refused, before what, and what the headers say."""

import re
from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from api.application import api
from messaging.models import AccessToken, Conversation, IdempotencyKey, User
from messaging.rates import Rate
from tests.api_client import Answer, ApiClient
from tests.conftest import PASSWORD, ClientOf
from tests.hashing import COUNTING_HASHERS, CountingHasher

AGE = 1000 * 24 * 3600
WRONG = "not the password at all"


@pytest.fixture(autouse=True)
def _small_limits(settings: Settings) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_SIGN_IN = Rate(2, AGE)
    settings.PARLEY_LIMIT_SIGN_IN_ADDRESS = Rate(4, AGE)
    settings.PARLEY_LIMIT_REGISTRATIONS = Rate(2, AGE)
    settings.PARLEY_LIMIT_BAD_TOKENS = Rate(2, AGE)
    settings.PARLEY_LIMIT_READS = Rate(3, AGE)
    settings.PARLEY_LIMIT_WRITES = Rate(3, AGE)


def sign_in(
    client: ApiClient, username: str, password: str = WRONG, *, via: str = ""
) -> Answer:
    return client.call(
        "POST",
        "/auth/tokens",
        {"username": username, "password": password},
        headers={"X-Forwarded-For": via} if via else None,
    )


def assert_refused(answer: Answer, limit: str, quota: int) -> None:
    assert answer.status == HTTPStatus.TOO_MANY_REQUESTS
    assert answer.code == "rate_limited"
    assert 0 < int(answer.headers["Retry-After"]) <= AGE
    assert f'"{limit}";q={quota};w={AGE}' in answer.headers["RateLimit-Policy"]
    assert (
        f'"{limit}";r=0;t={answer.headers["Retry-After"]}'
        in (answer.headers["RateLimit"])
    )


def test_after_too_many_wrong_passwords_even_the_right_one_is_refused(
    anonymous: ApiClient, ann: User
) -> None:
    statuses = [sign_in(anonymous, "ann").status for _ in range(2)]
    assert statuses == [HTTPStatus.UNAUTHORIZED] * 2
    assert_refused(sign_in(anonymous, "ann", PASSWORD), "sign-in", 2)
    assert not AccessToken.objects.exists()


def test_right_passwords_are_not_counted(anonymous: ApiClient, ann: User) -> None:
    answers = [sign_in(anonymous, "ann", PASSWORD) for _ in range(6)]
    assert {answer.status for answer in answers} == {HTTPStatus.CREATED}
    assert '"sign-in";r=2;' in answers[-1].headers["RateLimit"]


def test_unknown_names_are_limited_like_known_ones(
    anonymous: ApiClient, ann: User
) -> None:
    known = [sign_in(anonymous, "ann") for _ in range(3)]
    unknown = [sign_in(anonymous, "nobody") for _ in range(3)]
    assert [a.status for a in known] == [a.status for a in unknown] == [401, 401, 429]
    assert [a.code for a in known] == [a.code for a in unknown]


def test_a_refused_password_is_not_hashed(
    anonymous: ApiClient, ann: User, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = COUNTING_HASHERS
    for _ in range(2):
        sign_in(anonymous, "ann")
    before = CountingHasher.hashed
    assert_refused(sign_in(anonymous, "ann"), "sign-in", 2)
    assert CountingHasher.hashed == before


def test_one_address_is_limited_over_all_accounts(
    anonymous: ApiClient, ann: User
) -> None:
    for number in range(4):
        assert sign_in(anonymous, f"person{number}").status == HTTPStatus.UNAUTHORIZED
    assert_refused(sign_in(anonymous, "ann", PASSWORD), "sign-in-address", 4)


def test_nobody_can_lock_another_person_out_from_elsewhere(
    anonymous: ApiClient, ann: User, settings: Settings
) -> None:
    settings.PARLEY_TRUSTED_PROXIES = 1
    for _ in range(3):
        sign_in(anonymous, "ann", via="198.51.100.7")
    assert_refused(
        sign_in(anonymous, "ann", PASSWORD, via="198.51.100.7"), "sign-in", 2
    )
    answer = sign_in(anonymous, "ann", PASSWORD, via="192.0.2.1")
    assert answer.status == HTTPStatus.CREATED


@pytest.mark.parametrize(
    ("proxies", "addresses"),
    [
        # Nobody is believed.
        (0, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        # What stands further left than the proxies wrote is the client's own invention.
        (1, ["1.1.1.1, 192.0.2.1", "2.2.2.2, 192.0.2.1", "192.0.2.1"]),
        (
            2,
            [
                "1.1.1.1, 192.0.2.1, 10.0.0.1",
                "192.0.2.1, 10.0.0.2",
                "192.0.2.1,10.0.0.1",
            ],
        ),
        # Fewer entries than proxies, or no address: past the proxies.
        (2, ["192.0.2.1", "192.0.2.2", ""]),
        (1, ["unknown", "<script>", ""]),
        # One network, one person; and an address however it is written.
        (1, ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::"]),
        (1, ["::ffff:192.0.2.1", "192.0.2.1", "::FFFF:c000:201"]),
    ],
)
def test_the_address_is_taken_from_trusted_proxies_only(
    anonymous: ApiClient, settings: Settings, proxies: int, addresses: list[str]
) -> None:
    settings.PARLEY_TRUSTED_PROXIES = proxies
    statuses = [sign_in(anonymous, "ann", via=via).status for via in addresses]
    assert statuses == [401, 401, 429]


def test_registrations_are_limited_before_hashing(
    anonymous: ApiClient, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = COUNTING_HASHERS
    for name in ("ann", "bob"):
        body = {"username": name, "password": PASSWORD}
        assert anonymous.post("/auth/register", body).status == HTTPStatus.CREATED
    before = CountingHasher.hashed
    answer = anonymous.post("/auth/register", {"username": "cy", "password": PASSWORD})
    assert_refused(answer, "registrations", 2)
    assert CountingHasher.hashed == before
    assert not User.objects.filter(username="cy").exists()


def test_bad_tokens_are_limited_and_good_ones_go_on(
    client_of: ClientOf, ann: User
) -> None:
    bad = ApiClient("made-up")
    assert [bad.get("/me").status for _ in range(2)] == [HTTPStatus.UNAUTHORIZED] * 2
    assert_refused(bad.get("/me"), "bad-tokens", 2)
    assert client_of(ann).get("/me").status == HTTPStatus.OK


def test_reads_are_limited_and_counted_down(client_of: ClientOf, ann: User) -> None:
    client = client_of(ann)
    answers = [client.get("/me") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    left = [answer.headers["RateLimit"].split(";")[1] for answer in answers]
    assert left == ["r=2", "r=1", "r=0", "r=0"]
    assert answers[0].headers["RateLimit-Policy"] == f'"reads";q=3;w={AGE}'
    assert re.fullmatch(r'"reads";r=2;t=\d+', answers[0].headers["RateLimit"])
    assert_refused(answers[3], "reads", 3)


def test_writes_that_are_refused_for_their_body_are_counted_too(
    client_of: ClientOf, ann: User
) -> None:
    client = client_of(ann)
    statuses = [client.post("/messages", {"nonsense": 1}).status for _ in range(4)]
    assert statuses == [422, 422, 422, 429]
    assert client.get("/me").status == HTTPStatus.OK


def test_a_limit_is_a_persons_own(client_of: ClientOf, ann: User, bob: User) -> None:
    statuses = [client_of(ann).get("/me").status for _ in range(4)]
    assert statuses[-1] == HTTPStatus.TOO_MANY_REQUESTS
    assert client_of(bob).get("/me").status == HTTPStatus.OK


def test_cached_pages_are_counted_and_say_what_is_left_now(
    client_of: ClientOf, ann: User, bob: User
) -> None:
    client = client_of(ann)
    sent = client.post("/messages", {"receiver": "bob", "content": "Hello"})
    path = f"/conversations/{sent.number('conversation_id')}/messages"
    pages = [client.get(path) for _ in range(4)]
    assert [page.headers.get("X-Cache") for page in pages] == [
        "miss",
        "hit",
        "hit",
        None,
    ]
    assert [page.headers["RateLimit"].split(";")[1] for page in pages] == [
        "r=2",
        "r=1",
        "r=0",
        "r=0",
    ]
    assert pages[3].status == HTTPStatus.TOO_MANY_REQUESTS


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [("PUT", "/me/password", "current_password"), ("DELETE", "/me", "password")],
)
def test_a_stolen_token_cannot_guess_the_password(
    client_of: ClientOf, ann: User, method: str, path: str, field: str
) -> None:
    client = client_of(ann)
    body = {field: WRONG}
    if method == "PUT":
        body["new_password"] = "another good password"
        send = client.put
        answers = [send(path, body) for _ in range(2)]
        answers.append(send(path, {**body, field: PASSWORD}))
    else:
        answers = [client.call("DELETE", path, body) for _ in range(2)]
        answers.append(client.call("DELETE", path, {field: PASSWORD}))
    assert [answer.status for answer in answers] == [403, 403, 429]
    assert_refused(answers[2], "sign-in", 2)
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/sign-in", "There is no account with this username and password"),
        ("/admin/login/", "There is no staff account with this username and password"),
    ],
)
def test_the_sign_in_pages_share_the_limit(
    anonymous: ApiClient, ann: User, path: str, refusal: str
) -> None:
    User.objects.filter(pk=ann.pk).update(is_staff=True)
    pages = Client()
    for _ in range(2):
        wrong = pages.post(path, {"username": "ann", "password": WRONG})
        assert wrong.status_code == HTTPStatus.OK
        assert refusal in wrong.text
    right = pages.post(path, {"username": "ann", "password": PASSWORD})
    assert "try again in" in right.content.decode()
    assert "sessionid" not in pages.cookies
    assert_refused(sign_in(anonymous, "ann", PASSWORD), "sign-in", 2)


def test_the_sign_in_page_answers_a_refusal_with_its_status(ann: User) -> None:
    pages = Client()
    for _ in range(2):
        pages.post("/sign-in", {"username": "ann", "password": WRONG})
    refused = pages.post("/sign-in", {"username": "ann", "password": PASSWORD})
    assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert 0 < int(refused["Retry-After"]) <= AGE


def test_the_right_password_signs_in_on_the_page(ann: User) -> None:
    pages = Client()
    for _ in range(4):
        right = pages.post("/sign-in", {"username": "ann", "password": PASSWORD})
        assert right.status_code == HTTPStatus.FOUND


def test_the_deletion_page_counts_guesses(ann: User) -> None:
    pages = Client()
    pages.force_login(ann)
    statuses = [
        pages.post("/account/delete", {"password": password}).status_code
        for password in (WRONG, WRONG, PASSWORD)
    ]
    assert statuses == [200, 200, 429]
    assert User.objects.filter(pk=ann.pk).exists()


def change_password(pages: Client) -> int:
    form = {"current": PASSWORD, "new_password": "12345678"}
    return pages.post("/account/password", form).status_code


def make_token(pages: Client) -> int:
    form = {"name": "backup", "days": "30", "password": PASSWORD}
    return pages.post("/settings/tokens", form).status_code


def enter(pages: Client) -> int:
    form = {"username": "ann", "password": PASSWORD}
    return Client().post("/sign-in", form).status_code


def enter_admin(pages: Client) -> int:
    form = {"username": "ann", "password": PASSWORD}
    entered = Client().post("/admin/login/", form)
    # A page of the admin reports it with its usual status.
    refused = b"Too many requests" in entered.content
    return HTTPStatus.TOO_MANY_REQUESTS if refused else entered.status_code


def enter_by_api(pages: Client) -> int:
    return sign_in(ApiClient(), "ann", PASSWORD).status


@pytest.mark.parametrize(
    "action", [change_password, make_token, enter, enter_admin, enter_by_api]
)
def test_right_passwords_have_a_quota_on_every_form_and_operation(
    ann: User, settings: Settings, action: Callable[[Client], int]
) -> None:
    """Each costs a hash, so it is counted first, even if the request is refused for another reason."""
    settings.PASSWORD_HASHERS = COUNTING_HASHERS
    settings.PARLEY_LIMIT_PASSWORDS = Rate(2, AGE)
    settings.PARLEY_LIMIT_WRITES = Rate(100, AGE)
    User.objects.update(is_staff=True)
    pages = Client()
    pages.force_login(ann)
    statuses = [action(pages) for _ in range(2)]
    assert HTTPStatus.TOO_MANY_REQUESTS not in statuses
    hashed = CountingHasher.hashed
    assert action(pages) == HTTPStatus.TOO_MANY_REQUESTS
    assert enter_by_api(pages) == HTTPStatus.TOO_MANY_REQUESTS
    assert CountingHasher.hashed == hashed


def test_the_quota_of_right_passwords_is_per_account(
    anonymous: ApiClient, ann: User, bob: User, settings: Settings
) -> None:
    settings.PARLEY_LIMIT_PASSWORDS = Rate(2, AGE)
    settings.PARLEY_TRUSTED_PROXIES = 1
    here, elsewhere = "192.0.2.1", "198.51.100.7"
    # Who does not know the password uses none of it up.
    assert sign_in(anonymous, "ann", via=here).status == HTTPStatus.UNAUTHORIZED
    answers = [sign_in(anonymous, "ann", PASSWORD, via=here) for _ in range(3)]
    assert [answer.status for answer in answers] == [201, 201, 429]
    assert '"passwords";r=0;' in answers[1].headers["RateLimit"]
    assert_refused(answers[2], "passwords", 2)
    assert sign_in(anonymous, "ann", PASSWORD, via=elsewhere).status == 201
    assert sign_in(anonymous, "bob", PASSWORD, via=here).status == 201


def test_one_address_has_a_quota_of_right_passwords_over_all_accounts(
    anonymous: ApiClient, ann: User, bob: User, settings: Settings
) -> None:
    settings.PARLEY_LIMIT_PASSWORDS_ADDRESS = Rate(2, AGE)
    assert sign_in(anonymous, "ann", PASSWORD).status == HTTPStatus.CREATED
    assert sign_in(anonymous, "bob", PASSWORD).status == HTTPStatus.CREATED
    assert_refused(sign_in(anonymous, "ann", PASSWORD), "passwords-address", 2)


def test_new_idempotency_keys_are_limited_and_replays_are_not(
    client_of: ClientOf, ann: User, settings: Settings
) -> None:
    settings.PARLEY_LIMIT_KEYS = Rate(1, AGE)
    settings.PARLEY_LIMIT_WRITES = Rate(100, AGE)
    client = client_of(ann)
    body = {"kind": "group", "title": "Us", "participants": []}

    def start(key: str) -> Answer:
        return client.call(
            "POST", "/conversations", body, headers={"Idempotency-Key": key}
        )

    assert [start("a").status for _ in range(3)] == [201] * 3
    assert_refused(start("b"), "keys", 1)
    assert Conversation.objects.count() == IdempotencyKey.objects.count() == 1


@pytest.mark.usefixtures("no_counters")
def test_without_counters_nobody_signs_in_and_messages_go_through(
    client_of: ClientOf,
    anonymous: ApiClient,
    ann: User,
    bob: User,
    settings: Settings,
) -> None:
    settings.PARLEY_SHARED_LIMITS = "cache"
    refused = sign_in(anonymous, "ann", PASSWORD)
    assert refused.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert refused.code == "limits_unavailable"
    assert refused.headers["Retry-After"]
    page = Client().post("/sign-in", {"username": "ann", "password": PASSWORD})
    assert page.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    sent = client_of(ann).post("/messages", {"receiver": "bob", "content": "Hello"})
    assert sent.status == HTTPStatus.CREATED
    assert "RateLimit" not in sent.headers
    assert ApiClient("made-up").get("/me").status == HTTPStatus.UNAUTHORIZED


def test_without_the_counters_table_nobody_signs_in(
    anonymous: ApiClient, ann: User, settings: Settings
) -> None:
    settings.PARLEY_SHARED_LIMITS = "database"
    connection.cursor().execute("ALTER TABLE messaging_limitcounter RENAME TO lost")
    assert sign_in(anonymous, "ann", PASSWORD).code == "limits_unavailable"


def test_every_operation_declares_that_it_is_limited() -> None:
    for path, operations in api.get_openapi_schema()["paths"].items():
        for operation in operations.values():
            assert 429 in operation["responses"], path
