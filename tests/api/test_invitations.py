"""Invitations to groups over the API."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from messaging.models import Conversation, InviteCode, Participant, User
from messaging.rates import Rate
from messaging.services import invites, participants
from tests.api_client import ApiClient
from tests.conftest import ClientOf, MakeUser
from tests.proofs import owned_by
from tests.tables import all_rows


@pytest.fixture
def dora(make_user: MakeUser) -> User:
    return make_user("dora")


def test_an_owner_makes_lists_and_revokes_invitations(
    ann: User, group: Conversation, client_of: ClientOf, anonymous: ApiClient
) -> None:
    client, here = client_of(ann), f"/conversations/{group.pk}/invitations"
    issued = client.post(here, {"max_uses": 3, "expires_in": 60})
    assert issued.status == HTTPStatus.CREATED
    assert issued.headers["Cache-Control"] == "private, no-store"
    code = issued.text("invite_code")
    assert issued.text("url") == f"http://testserver/join/{code}"
    # The link is that of the page.
    assert Client().get(f"/join/{code}").status_code == HTTPStatus.OK
    [listed] = client.get(here).items
    assert listed == {
        key: value
        for key, value in issued.json.items()
        if key not in {"invite_code", "url"}
    }
    assert (listed["max_uses"], listed["used"]) == (3, 0)
    row = InviteCode.objects.get()
    assert row.expires_at == row.created_at + timedelta(seconds=60)
    assert anonymous.get(f"/invitations/{code}").json == {
        "kind": "group",
        "title": group.title,
        "participant_count": 3,
        "opens_account": True,
    }
    revoke = f"{here}/{row.pk}"
    assert client.delete(revoke).status == HTTPStatus.NO_CONTENT
    assert client.delete(revoke).code == "invitation_not_found"
    assert anonymous.get(f"/invitations/{code}").code == "invalid_invite"


@pytest.mark.parametrize(
    "body",
    [
        {"max_uses": 0},
        {"max_uses": 1001},
        {"expires_in": 59},
        {"expires_in": 366 * 24 * 3600},
        {"expires_in": None},
        {"invite_code": "mine"},
    ],
)
def test_an_invitation_always_ends(
    ann: User,
    group: Conversation,
    client_of: ClientOf,
    body: dict[str, str | int | None],
) -> None:
    answer = client_of(ann).post(f"/conversations/{group.pk}/invitations", {**body})
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert not InviteCode.objects.exists()


def test_accepting_answers_with_the_group_and_again_changes_nothing(
    ann: User, dora: User, group: Conversation, client_of: ClientOf
) -> None:
    code = invites.create_group_invitation(
        group=owned_by(ann, group), uses=1, expires_in=timedelta(days=1)
    ).code
    client = client_of(dora)
    accepted = client.put(f"/invitations/{code}/accepted")
    assert accepted.status == HTTPStatus.OK
    assert accepted.number("id") == group.pk
    before = all_rows()
    assert client.put(f"/invitations/{code}/accepted").json == accepted.json
    assert all_rows() == before


def test_every_code_that_cannot_be_used_gets_one_problem(
    ann: User, bob: User, group: Conversation, client_of: ClientOf
) -> None:
    codes = [
        invites.create_group_invitation(
            group=owned_by(ann, group), uses=1, expires_in=timedelta(days=1)
        ).code
        for _ in range(4)
    ]
    expired, used_up, revoked, _ = InviteCode.objects.order_by("pk")
    InviteCode.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    InviteCode.objects.filter(pk=used_up.pk).update(used=1)
    revoked.delete()
    participants.remove_participant(membership=owned_by(ann, group), username="bob")
    client = client_of(bob)
    answers = [
        client.put(f"/invitations/{code}/accepted")
        for code in (*codes, "unknown", "%C3%A9")
    ]
    assert {answer.status for answer in answers} == {HTTPStatus.FORBIDDEN}
    problems = [{**answer.json, "request_id": "", "instance": ""} for answer in answers]
    assert all(problem == problems[0] for problem in problems)
    assert problems[0]["code"] == "invalid_invite"
    assert not Participant.objects.filter(user=bob, conversation=group).exists()


def test_who_registers_with_a_code_of_a_group_is_in_it(
    ann: User, group: Conversation, anonymous: ApiClient
) -> None:
    code = invites.create_group_invitation(
        group=owned_by(ann, group), uses=1, expires_in=timedelta(days=1)
    ).code
    body = {"username": "eve", "password": "correct horse battery staple"}
    registered = anonymous.post("/auth/register", {**body, "invite_code": code})
    newcomer = ApiClient(registered.text("token"))
    assert [each["id"] for each in newcomer.get("/conversations").items] == [group.pk]


def test_guesses_are_limited_for_each_account_and_each_address(
    dora: User, client_of: ClientOf, anonymous: ApiClient, settings: Settings
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_BAD_TOKENS = Rate(2, 900)
    guesses = [anonymous.get(f"/invitations/guess{number}") for number in range(3)]
    assert [guess.status for guess in guesses] == [403, 403, 429]
    assert int(guesses[2].headers["Retry-After"]) > 0
    client = client_of(dora)
    tried = [client.put(f"/invitations/guess{number}/accepted") for number in range(3)]
    assert [each.status for each in tried] == [403, 403, 429]
