"""Accounts, tokens, profiles and finding people, over the API."""

from http import HTTPStatus

import pytest
from pytest_django import Settings

from messaging.models import AccessToken, Block, User
from tests.api_client import ApiClient, Json, JsonValue, Method
from tests.conftest import PASSWORD, ClientOf, MakeUser, RunBeforeQuery

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


def test_every_reason_for_a_weak_password_is_named(anonymous: ApiClient) -> None:
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
    assert as_ann.paginate("/auth/tokens", limit=1) == answer.items


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
    run_before_query: RunBeforeQuery,
    method: Method,
    path: str,
    body: dict[str, JsonValue],
) -> None:
    locked = 'FROM "messaging_user" WHERE "messaging_user"."id"'
    with run_before_query(User.objects.get(pk=ann.pk).delete, before=locked):
        answer = as_ann.call(method, path, body)
    assert (answer.status, answer.code) == (404, "user_not_found")


def test_signing_in_to_what_was_deleted_just_now_fails_like_any_other(
    anonymous: ApiClient, ann: User, run_before_query: RunBeforeQuery
) -> None:
    with run_before_query(ann.delete, before='SELECT "messaging_user"."password"'):
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
    found = [user["username"] for user in as_ann.paginate("/users?query=AN", limit=1)]
    assert found == ["ann", "Anna", "anne"]


@pytest.mark.parametrize("who", ["everyone", "contacts", "nobody"])
def test_a_user_sets_who_may_add_them_to_groups(
    client_of: ClientOf, ann: User, bob: User, who: str
) -> None:
    client = client_of(ann)
    answer = client.call("PATCH", "/me", {"who_may_add": who})
    assert (answer.status, answer.json["who_may_add"]) == (200, who)
    shown = client.get("/me").json
    assert (shown["who_may_add"], shown["display_name"]) == (who, "Ann")
    # Others receive no event.
    found = client_of(bob).get("/users?query=ann")
    assert b"who_may_add" not in found.body


def test_a_user_hides_their_presence(client_of: ClientOf, ann: User) -> None:
    client = client_of(ann)
    for shown in (False, True):
        answer = client.call("PATCH", "/me", {"shows_presence": shown})
        assert (answer.status, answer.json["shows_presence"]) == (200, shown)
        assert client.get("/me").json["shows_presence"] is shown


@pytest.mark.parametrize("key", ["shift_enter", "enter"])
def test_a_user_sets_which_key_sends_a_message(
    client_of: ClientOf, ann: User, bob: User, key: str
) -> None:
    client = client_of(ann)
    answer = client.call("PATCH", "/me", {"send_key": key})
    assert (answer.status, answer.json["send_key"]) == (200, key)
    assert client.get("/me").json["send_key"] == key
    assert b"send_key" not in client_of(bob).get("/users?query=ann").body


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"who_may_add": "friends"}, {"who_may_add": 1}, {"who": "nobody"}),
        *({"shows_presence": "no"}, {"shows_presence": 0}, {"send_key": "tab"}),
    ],
)
def test_a_profile_change_without_a_field_is_refused(
    client_of: ClientOf, ann: User, body: Json
) -> None:
    answer = client_of(ann).call("PATCH", "/me", body)
    assert (answer.status, answer.code) == (422, "invalid_request")


def test_an_unchanged_password_is_a_problem_of_its_own(
    client_of: ClientOf, ann: User
) -> None:
    body = {"current_password": PASSWORD, "new_password": PASSWORD}
    answer = client_of(ann).call("PUT", "/me/password", body)
    assert (answer.status, answer.code) == (422, "unchanged_password")


def test_one_block_too_many_is_refused(
    client_of: ClientOf, ann: User, bob: User, cleo: User, settings: Settings
) -> None:
    settings.PARLEY_MAX_BLOCKS = 1
    client = client_of(ann)
    statuses = [client.call("PUT", f"/blocks/{name}").status for name in ("bob", "bob")]
    assert statuses == [204, 204]
    refused = client.call("PUT", "/blocks/cleo")
    assert (refused.status, refused.code) == (409, "too_many_blocks")
    assert Block.objects.count() == 1
