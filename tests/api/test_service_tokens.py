"""What the product beside which Parley runs may do, and that it may do no more."""

from datetime import timedelta
from http import HTTPStatus
from typing import cast

import pytest
from django.utils import timezone
from pytest_django import Settings

from api.application import api
from messaging.errors import (
    InvalidServiceNameError,
    ServiceNameTakenError,
    ServiceTokenNotFoundError,
)
from messaging.models import AccessToken, ServiceToken, User
from messaging.rates import Rate
from messaging.services.service_tokens import (
    LONGEST,
    create_service_token,
    mint_token,
    revoke_service_token,
)
from tests.api_client import Answer, ApiClient, Json, Method
from tests.conftest import ClientOf

USERS = "/service/users"
DAY = 24 * 3600


@pytest.fixture
def shop(db: None) -> ApiClient:
    return ApiClient(create_service_token(name="shop"))


def mint(service: ApiClient, username: str, body: Json | None = None) -> Answer:
    return service.post(f"{USERS}/{username}/tokens", body or {})


def test_a_service_creates_a_user_and_acts_for_them(shop: ApiClient, bob: User) -> None:
    brought = shop.post(
        USERS, {"username": "ada", "display_name": "Ada L.", "external_id": "shop/7"}
    )
    assert brought.status == HTTPStatus.CREATED
    ada = User.objects.get(username="ada")
    assert brought.json == {
        "id": ada.pk,
        "username": "ada",
        "display_name": "Ada L.",
        "external_id": "shop/7",
    }
    assert brought.headers["Location"] == "/api/v1/users?query=ada"
    assert not ada.has_usable_password()
    minted = mint(shop, "ADA", {"expires_in": 60})
    assert minted.status == HTTPStatus.CREATED
    token = AccessToken.objects.get()
    assert token.expires_at == token.created_at + timedelta(seconds=60)
    assert token.name == "shop"
    person = ApiClient(minted.text("token"))
    sent = person.post("/messages", {"receiver": "bob", "content": "Hello"})
    assert sent.status == HTTPStatus.CREATED
    assert person.get("/me").number("id") == ada.pk


def test_a_service_creates_users_where_registration_is_closed(
    shop: ApiClient, settings: Settings
) -> None:
    settings.PARLEY_REGISTRATION = "closed"
    brought = shop.post(USERS, {"username": "ada"})
    assert brought.status == HTTPStatus.CREATED
    assert brought.json["display_name"] == "ada"
    assert brought.json["external_id"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"username": "ADA"}, "username_taken"),
        ({"username": "eve", "external_id": "7"}, "external_id_taken"),
        ({"username": "not a name"}, "invalid_request"),
        ({"username": "eve", "display_name": " "}, "invalid_display_name"),
        ({"username": "eve", "external_id": ""}, "invalid_request"),
        ({"username": "eve", "password": "x"}, "invalid_request"),
    ],
)
def test_creating_a_user_with_taken_or_invalid_values_creates_none(
    shop: ApiClient, body: Json, code: str
) -> None:
    shop.post(USERS, {"username": "ada", "external_id": "7"})
    assert shop.post(USERS, body).code == code
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("expires_in", "status"),
    [(1, 201), (DAY, 201), (DAY + 1, 422), (0, 422), (-1, 422)],
)
def test_minted_tokens_live_a_day_at_most(
    shop: ApiClient, expires_in: int, status: int
) -> None:
    shop.post(USERS, {"username": "ada"})
    assert mint(shop, "ada", {"expires_in": expires_in}).status == status


def test_minted_tokens_live_an_hour_unless_said(shop: ApiClient) -> None:
    shop.post(USERS, {"username": "ada"})
    assert mint(shop, "ada").status == HTTPStatus.CREATED
    token = AccessToken.objects.get()
    assert token.expires_at == token.created_at + timedelta(hours=1)


def test_the_domain_refuses_longer_lived_tokens_too(shop: ApiClient) -> None:
    with pytest.raises(ValueError, match="short-lived"):
        mint_token(
            service=ServiceToken.objects.get(),
            username="ada",
            expires_in=LONGEST + timedelta(seconds=1),
        )


def test_minting_deletes_expired_tokens(shop: ApiClient) -> None:
    shop.post(USERS, {"username": "ada"})
    mint(shop, "ada")
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    mint(shop, "ada")
    mint(shop, "ada")
    assert AccessToken.objects.count() == 2


def test_a_service_does_not_act_for_users_with_a_password(
    shop: ApiClient, ann: User
) -> None:
    answer = mint(shop, "ann")
    assert (answer.status, answer.code) == (HTTPStatus.FORBIDDEN, "own_password")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("name", ["nobody", "suspended"])
def test_a_service_does_not_act_for_unknown_users(shop: ApiClient, name: str) -> None:
    shop.post(USERS, {"username": "suspended"})
    User.objects.update(is_active=False)
    answer = mint(shop, name)
    assert (answer.status, answer.code) == (HTTPStatus.NOT_FOUND, "user_not_found")


def test_a_service_may_do_nothing_else(shop: ApiClient) -> None:
    tried = 0
    for path, operations in api.get_openapi_schema()["paths"].items():
        for method, operation in operations.items():
            secured = operation.get("security")
            if secured in (None, [{"ServiceAuth": []}]):
                continue
            called = path.removeprefix("/api/v1").replace("{", "").replace("}", "")
            answer = shop.call(cast(Method, method.upper()), called, {})
            assert answer.status == HTTPStatus.UNAUTHORIZED, (method, path)
            tried += 1
    assert tried > 20


@pytest.mark.parametrize("token", [None, "made-up", "a person's"])
def test_only_a_service_token_may_call_service_operations(
    client_of: ClientOf, ann: User, token: str | None
) -> None:
    caller = client_of(ann) if token == "a person's" else ApiClient(token)
    assert caller.post(USERS, {"username": "eve"}).status == HTTPStatus.UNAUTHORIZED
    assert mint(caller, "ann").status == HTTPStatus.UNAUTHORIZED
    assert User.objects.count() == 1


def test_a_revoked_service_token_is_refused(shop: ApiClient) -> None:
    revoke_service_token(name="shop")
    assert shop.post(USERS, {"username": "ada"}).status == HTTPStatus.UNAUTHORIZED
    with pytest.raises(ServiceTokenNotFoundError):
        revoke_service_token(name="shop")


def test_invented_service_tokens_are_limited(settings: Settings, db: None) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_BAD_TOKENS = Rate(1, 1000 * DAY)
    caller = ApiClient("made-up")
    answers = [caller.post(USERS, {"username": "eve"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [401, 429]
    assert '"bad-tokens";r=0;' in answers[1].headers["RateLimit"]


def test_only_the_digest_of_a_service_token_is_kept(db: None) -> None:
    secret = create_service_token(name="shop")
    assert len(secret) == 43
    assert secret not in str(ServiceToken.objects.values().get())
    assert str(ServiceToken.objects.get()) == "service token shop"


def test_service_names_are_unique(shop: ApiClient) -> None:
    with pytest.raises(ServiceNameTakenError):
        create_service_token(name="shop")
    assert ServiceToken.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb"])
def test_a_service_has_a_name_that_can_be_read(name: str) -> None:
    with pytest.raises(InvalidServiceNameError):
        create_service_token(name=name)


def test_of_too_many_minted_tokens_the_oldest_ends(
    shop: ApiClient, settings: Settings
) -> None:
    settings.PARLEY_MAX_TOKENS = 2
    assert shop.post(USERS, {"username": "ada"}).status == HTTPStatus.CREATED
    minted = [mint(shop, "ada").text("token") for _ in range(3)]
    statuses = [ApiClient(secret).get("/me").status for secret in minted]
    assert statuses == [401, 200, 200]


def test_minted_tokens_are_limited_for_each_person(
    shop: ApiClient, settings: Settings
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_MINTED_TOKENS = Rate(1, 1000 * DAY)
    for name in ("ada", "eve"):
        assert shop.post(USERS, {"username": name}).status == HTTPStatus.CREATED
        assert mint(shop, name).status == HTTPStatus.CREATED
    refused = mint(shop, "ada")
    assert (refused.status, refused.code) == (429, "rate_limited")
    assert AccessToken.objects.count() == 2
