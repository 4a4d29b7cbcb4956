"""Accounts, tokens, profiles and finding people, over the API."""

from http import HTTPStatus

import pytest

from messaging.models import AccessToken, User
from tests.api_client import ApiClient, JsonValue, Method
from tests.conftest import PASSWORD, MakeUser, Meanwhile

NEW_PASSWORD = "another horse, again"


def test_registering_signs_in(anonymous: ApiClient) -> None:
    answer = anonymous.post(
        "/auth/register",
        {"username": "Dora", "password": PASSWORD, "display_name": "Dora D."},
    )
    assert answer.status == HTTPStatus.CREATED
    assert answer.headers["Location"] == "/api/v1/me"
    dora = ApiClient(answer.text("token")).get("/me")
    assert dora.json == answer.json["user"]
    assert dora.text("display_name") == "Dora D."


def test_a_taken_username_is_refused(anonymous: ApiClient, ann: User) -> None:
    body = {"username": "ANN", "password": PASSWORD}
    answer = anonymous.post("/auth/register", body)
    assert (answer.status, answer.code) == (409, "username_taken")
    assert User.objects.get() == ann


def test_a_weak_password_is_told_each_reason(anonymous: ApiClient) -> None:
    answer = anonymous.post("/auth/register", {"username": "dora", "password": "123"})
    assert (answer.status, answer.code) == (422, "invalid_password")
    assert len(answer.list("errors")) == 3
    assert not User.objects.exists()


def test_signing_in_gives_a_token_of_its_own(anonymous: ApiClient, ann: User) -> None:
    answer = anonymous.post(
        "/auth/tokens",
        {"username": "Ann", "password": PASSWORD, "name": "tv", "expires_in": 60},
    )
    assert answer.status == HTTPStatus.CREATED
    assert answer.text("name") == "tv"
    token = AccessToken.objects.get()
    assert token.expires_at is not None
    assert (token.expires_at - token.created_at).total_seconds() == 60
    assert ApiClient(answer.text("token")).get("/me").number("id") == ann.pk


def test_a_failed_sign_in_gives_no_token(anonymous: ApiClient, ann: User) -> None:
    for body in (
        {"username": "ann", "password": "wrong"},
        {"username": "nobody", "password": PASSWORD},
    ):
        answer = anonymous.post("/auth/tokens", body)
        assert (answer.status, answer.code) == (401, "sign_in_failed")
    assert not AccessToken.objects.exists()


def test_tokens_are_listed_without_their_secrets(as_ann: ApiClient) -> None:
    body = {"username": "ann", "password": PASSWORD, "name": "tv"}
    secret = as_ann.post("/auth/tokens", body).text("token")
    answer = as_ann.get("/auth/tokens")
    listed = [(token["name"], token["current"]) for token in answer.items]
    assert listed == [("tv", False), ("test", True)]
    assert secret not in answer.body.decode()
    assert as_ann.walk("/auth/tokens", limit=1) == answer.items


def test_tokens_are_revoked_one_by_one(as_ann: ApiClient, as_bob: ApiClient) -> None:
    token_id = as_ann.get("/auth/tokens").items[0]["id"]
    assert as_bob.delete(f"/auth/tokens/{token_id}").code == "token_not_found"
    assert as_ann.delete(f"/auth/tokens/{token_id}").status == HTTPStatus.NO_CONTENT
    assert as_ann.get("/me").status == HTTPStatus.UNAUTHORIZED
    assert as_bob.delete("/auth/tokens/current").status == HTTPStatus.NO_CONTENT
    assert as_bob.get("/me").status == HTTPStatus.UNAUTHORIZED


def test_a_display_name_is_changed(as_ann: ApiClient, ann: User) -> None:
    answer = as_ann.patch("/me", {"display_name": " Anna "})
    assert answer.text("display_name") == "Anna"
    assert as_ann.get("/me").json == answer.json


@pytest.mark.parametrize(
    ("current", "new", "status", "code"),
    [
        ("wrong", NEW_PASSWORD, 403, "wrong_password"),
        (PASSWORD, "12345", 422, "invalid_password"),
    ],
)
def test_a_refused_password_changes_nothing(
    as_ann: ApiClient, ann: User, current: str, new: str, status: int, code: str
) -> None:
    body = {"current_password": current, "new_password": new}
    answer = as_ann.put("/me/password", body)
    assert (answer.status, answer.code) == (status, code)
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/me", {"display_name": "Late"}),
        (
            *("PUT", "/me/password"),
            {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        ),
        ("DELETE", "/me", {"password": PASSWORD}),
    ],
)
def test_an_account_that_was_deleted_just_now_is_missing(
    as_ann: ApiClient,
    ann: User,
    meanwhile: Meanwhile,
    method: Method,
    path: str,
    body: dict[str, JsonValue],
) -> None:
    locked = 'FROM "messaging_user" WHERE "messaging_user"."id"'
    with meanwhile(User.objects.get(pk=ann.pk).delete, before=locked):
        answer = as_ann.call(method, path, body)
    assert (answer.status, answer.code) == (404, "user_not_found")


def test_signing_in_to_what_was_deleted_just_now_fails_like_any_other(
    anonymous: ApiClient, ann: User, meanwhile: Meanwhile
) -> None:
    with meanwhile(ann.delete, before='SELECT "messaging_user"."password"'):
        answer = anonymous.post(
            "/auth/tokens", {"username": "ann", "password": PASSWORD}
        )
    assert (answer.status, answer.code) == (401, "sign_in_failed")


def test_a_new_password_keeps_the_token_in_use(as_ann: ApiClient, ann: User) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert as_ann.put("/me/password", body).status == HTTPStatus.NO_CONTENT
    assert as_ann.get("/me").number("id") == ann.pk


def test_people_are_found_page_by_page(as_ann: ApiClient, make_user: MakeUser) -> None:
    for name in ("Anna", "anne", "bob"):
        make_user(name)
    found = [user["username"] for user in as_ann.walk("/users?query=AN", limit=1)]
    assert found == ["ann", "Anna", "anne"]
