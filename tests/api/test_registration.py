"""Who may open an account, what signing in reveals, and which sessions a password ends."""

from collections import Counter
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from messaging.models import AccessToken, InviteCode, Session, User
from messaging.services.invites import create_invite
from messaging.services.tokens import issue_token
from tests.api_client import API, Answer, ApiClient
from tests.conftest import PASSWORD, ClientOf
from tests.hashing import COUNTING_HASHERS, CountingHasher

NEW_PASSWORD = "staple battery horse correct"


@pytest.fixture
def by_invite(settings: Settings, db: None) -> None:
    settings.PARLEY_REGISTRATION = "invite"


def register(client: ApiClient, username: str, code: str | None = None) -> Answer:
    body = {"username": username, "password": PASSWORD}
    return client.post(
        "/auth/register", body if code is None else {**body, "invite_code": code}
    )


def test_an_open_installation_needs_no_code(anonymous: ApiClient) -> None:
    assert register(anonymous, "ann").status == HTTPStatus.CREATED


def test_an_open_installation_uses_no_code_up(anonymous: ApiClient) -> None:
    code = create_invite(uses=1, expires_in=None)
    assert register(anonymous, "ann", code).status == HTTPStatus.CREATED
    assert InviteCode.objects.get().used == 0


def test_a_closed_installation_opens_no_account(
    anonymous: ApiClient, settings: Settings
) -> None:
    settings.PARLEY_REGISTRATION = "closed"
    code = create_invite(uses=1, expires_in=None)
    for answer in (register(anonymous, "ann"), register(anonymous, "ann", code)):
        assert answer.status == HTTPStatus.FORBIDDEN
        assert answer.code == "registration_closed"
    assert not User.objects.exists()


@pytest.mark.usefixtures("by_invite")
def test_an_invite_opens_as_many_accounts_as_it_allows(anonymous: ApiClient) -> None:
    code = create_invite(uses=2, expires_in=None)
    answers = [register(anonymous, f"person{number}", code) for number in range(3)]
    assert [answer.status for answer in answers] == [201, 201, 403]
    assert answers[2].code == "invalid_invite"
    assert User.objects.count() == 2


@pytest.mark.usefixtures("by_invite")
def test_without_a_code_no_account_is_opened(anonymous: ApiClient) -> None:
    answer = register(anonymous, "ann")
    assert answer.status == HTTPStatus.FORBIDDEN
    assert answer.code == "invite_required"
    assert not User.objects.exists()


@pytest.mark.usefixtures("by_invite")
@pytest.mark.parametrize("kind", ["unknown", "expired", "used up"])
def test_invalid_invites_are_indistinguishable(anonymous: ApiClient, kind: str) -> None:
    code = create_invite(uses=1, expires_in=timedelta(hours=1))
    if kind == "unknown":
        InviteCode.objects.all().delete()
    elif kind == "expired":
        InviteCode.objects.update(expires_at=timezone.now())
    else:
        InviteCode.objects.update(used=1)
    answer = register(anonymous, "ann", code)
    assert answer.status == HTTPStatus.FORBIDDEN
    assert answer.code == "invalid_invite"
    assert answer.text("detail") == ("This invite code is not valid, or not any more.")
    assert not User.objects.exists()


@pytest.mark.usefixtures("by_invite")
def test_an_invalid_invite_is_refused_before_password_and_username(
    anonymous: ApiClient, ann: User, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = COUNTING_HASHERS
    before = CountingHasher.hashed
    assert register(anonymous, "ann", "made-up").code == "invalid_invite"
    assert CountingHasher.hashed == before


@pytest.mark.usefixtures("by_invite")
def test_a_registration_that_fails_leaves_the_code_unused(
    anonymous: ApiClient, ann: User
) -> None:
    code = create_invite(uses=1, expires_in=None)
    assert register(anonymous, "ann", code).code == "username_taken"
    assert InviteCode.objects.get().used == 0
    assert register(anonymous, "bob", code).status == HTTPStatus.CREATED


@pytest.mark.usefixtures("by_invite")
def test_a_code_used_up_while_its_account_is_opened_opens_none(
    anonymous: ApiClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The hasher runs between the first look at the code and its use.
    settings.PASSWORD_HASHERS = COUNTING_HASHERS
    code = create_invite(uses=1, expires_in=None)
    encode = CountingHasher.encode

    def someone_is_faster(self: CountingHasher, password: str, salt: str) -> str:
        InviteCode.objects.update(used=1)
        return encode(self, password, salt)

    monkeypatch.setattr(CountingHasher, "encode", someone_is_faster)
    assert register(anonymous, "ann", code).code == "invalid_invite"
    assert not User.objects.exists()


def test_a_code_is_kept_as_its_digest_only(db: None) -> None:
    code = create_invite(uses=1, expires_in=None)
    assert code not in str(InviteCode.objects.values().get())
    assert str(InviteCode.objects.get()).endswith("used 0 of 1")


def test_a_failed_sign_in_reveals_nothing_by_response_or_work(
    anonymous: ApiClient, settings: Settings, db: None
) -> None:
    settings.PASSWORD_HASHERS = COUNTING_HASHERS
    for name in ("known", "suspended"):
        User.objects.create_user(name, PASSWORD)
    User.objects.create_user("passwordless", None)
    User.objects.filter(username="suspended").update(is_active=False)
    wrong = "not the password at all"
    refusals = []
    for name, password in [
        ("unknown", wrong),
        ("known", wrong),
        ("suspended", wrong),
        ("suspended", PASSWORD),
        ("passwordless", wrong),
    ]:
        before = CountingHasher.hashed
        body = {"username": name, "password": password}
        answer = anonymous.post("/auth/tokens", body)
        assert CountingHasher.hashed == before + 1, name
        problem = {**answer.json, "request_id": "any"}
        headers = {**answer.headers, "X-Request-ID": "any"}
        refusals.append((answer.status, problem, headers))
    assert refusals[0][0] == HTTPStatus.UNAUTHORIZED
    assert all(other == refusals[0] for other in refusals)


def test_tokens_are_listed_with_their_last_use(client_of: ClientOf, ann: User) -> None:
    client = client_of(ann)
    made = AccessToken.objects.get().created_at
    listed = client.get("/auth/tokens").items[0]["last_used_at"]
    assert listed == made.isoformat().replace("+00:00", "Z")


def test_use_is_recorded_once_a_minute(
    client_of: ClientOf, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(ann)
    made = AccessToken.objects.get().created_at
    recorded = []
    for seconds in (59, 60, 119, 120, 150):
        later = made + timedelta(seconds=seconds)
        monkeypatch.setattr(timezone, "now", lambda later=later: later)
        assert client.get("/me").status == HTTPStatus.OK
        used = AccessToken.objects.get().last_used_at
        recorded.append((used - made).total_seconds())
    assert recorded == [0, 60, 60, 120, 120]


def test_a_new_password_ends_other_tokens_and_sessions(
    client_of: ClientOf, ann: User, bob: User
) -> None:
    here, elsewhere, bobs = client_of(ann), client_of(ann), client_of(bob)
    for person in (ann, bob):
        Client().force_login(person)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert here.put("/me/password", body).status == HTTPStatus.NO_CONTENT
    assert here.get("/me").status == HTTPStatus.OK
    assert elsewhere.get("/me").status == HTTPStatus.UNAUTHORIZED
    assert bobs.get("/me").status == HTTPStatus.OK
    assert list(Session.objects.values_list("user", flat=True)) == [bob.pk]


def test_a_new_password_set_in_a_browser_keeps_that_browser(ann: User) -> None:
    issue_token(user=ann, name="phone", expires_in=None)
    here, elsewhere = Client(), Client()
    for browser in (here, elsewhere):
        browser.force_login(ann)
    here.cookies["csrftoken"] = "c" * 32
    changed = here.put(
        f"{API}/me/password",
        {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        "application/json",
        headers={"X-CSRFToken": "c" * 32},
    )
    assert changed.status_code == HTTPStatus.NO_CONTENT
    assert here.get(f"{API}/me").status_code == HTTPStatus.OK
    assert elsewhere.get(f"{API}/me").status_code == HTTPStatus.UNAUTHORIZED
    assert Session.objects.count() == 1
    assert not AccessToken.objects.exists()


def test_suspending_an_account_ends_its_tokens_and_sessions_at_once(
    client_of: ClientOf, ann: User
) -> None:
    client, browser = client_of(ann), Client()
    browser.force_login(ann)
    before = Counter([client.get("/me").status, browser.get(f"{API}/me").status_code])
    assert before == {HTTPStatus.OK: 2}
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert client.get("/me").status == HTTPStatus.UNAUTHORIZED
    assert browser.get(f"{API}/me").status_code == HTTPStatus.UNAUTHORIZED
