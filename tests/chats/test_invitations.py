"""The pages of invitations: making links, and what whoever opens one sees."""

import re
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import Settings

from messaging.access import inviter
from messaging.models import Conversation, InviteCode, Participant, User
from messaging.services import invites, owners, participants
from tests.browsers import browser_of
from tests.conftest import PASSWORD, MakeUser
from tests.proofs import owned_by
from tests.tables import all_rows

FORM = {"uses": "5", "days": "7"}
SIGN_UP = {"username": "eve", "display_name": "", "password": PASSWORD}


@pytest.fixture
def doras(make_user: MakeUser) -> Client:
    return browser_of(make_user("dora"))


def made(owner: User, group: Conversation) -> str:
    return invites.create_group_invitation(
        group=owned_by(owner, group), uses=5, expires_in=timedelta(days=1)
    ).code


def test_a_link_is_shown_once_with_its_qr_code_and_is_kept_out_of_caches(
    anns: Client, group: Conversation, doras: Client
) -> None:
    here = f"/conversations/{group.pk}/invitations"
    answer = anns.post(here, FORM)
    page = answer.content.decode()
    [link] = re.findall(r'id="link"[^>]*>(http://testserver/join/[\w-]+)<', page)
    assert "<svg" in page
    assert 'class="qr-code"' in page
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    code = link.rpartition("/")[2]
    again = anns.get(here).content.decode()
    assert code not in again
    assert "Used 0 of 5 times" in again
    assert doras.get(f"/join/{code}").status_code == HTTPStatus.OK


@pytest.mark.parametrize("uses", ["", "2", "1001", "x"])
def test_only_what_is_offered_can_be_chosen(
    anns: Client, group: Conversation, uses: str
) -> None:
    here = f"/conversations/{group.pk}/invitations"
    page = anns.post(here, {**FORM, "uses": uses}).content.decode()
    assert "errorlist" in page
    assert not InviteCode.objects.exists()


def test_the_details_lead_owners_alone_to_the_links(
    anns: Client, bobs: Client, group: Conversation
) -> None:
    here = f"/conversations/{group.pk}/invitations"
    details = f"/conversations/{group.pk}/details"
    assert here in anns.get(details).content.decode()
    assert here not in bobs.get(details).content.decode()
    assert bobs.get(here).status_code == HTTPStatus.FORBIDDEN


def test_the_lists_say_whose_links_cannot_be_used_now(
    anns: Client, ann: User, bob: User, group: Conversation
) -> None:
    User.objects.filter(pk__in=(ann.pk, bob.pk)).update(is_superuser=True)
    maker = inviter(User.objects.get(pk=bob.pk))
    assert maker is not None
    invites.create_server_invitation(maker=maker, uses=1, expires_in=timedelta(days=1))
    owners.add_owner(group=owned_by(ann, group), username="bob")
    made(bob, group)
    of_server = "/administration/invitations"
    of_group = f"/conversations/{group.pk}/invitations"

    def told(by: str, words: str) -> bool:
        return words in anns.get(by).content.decode()

    for by in (of_server, of_group):
        assert not told(by, "not valid")
    User.objects.filter(pk=bob.pk).update(is_active=False)
    for by in (of_server, of_group):
        assert told(by, "not valid: this account is suspended")
    User.objects.filter(pk=bob.pk).update(is_active=True, is_superuser=False)
    assert told(of_server, "not valid: this account may not invite any more")
    assert not told(of_group, "not valid")


def test_a_revoked_link_leads_nowhere(
    anns: Client, ann: User, group: Conversation, doras: Client
) -> None:
    code = made(ann, group)
    row = InviteCode.objects.get()
    anns.post(f"/conversations/{group.pk}/invitations/{row.pk}/revoke")
    assert doras.get(f"/join/{code}").status_code == HTTPStatus.FORBIDDEN


def test_opening_a_link_asks_and_changes_nothing(
    ann: User, group: Conversation, doras: Client
) -> None:
    code = made(ann, group)
    before = all_rows()
    page = doras.get(f"/join/{code}").content.decode()
    assert "Do you want to join?" in page
    assert str(group.title) in page
    assert all_rows() == before
    joined = doras.post(f"/join/{code}")
    assert joined.headers["Location"] == f"/conversations/{group.pk}"
    assert Participant.objects.filter(
        user__username="dora", conversation=group
    ).exists()
    # And who opens it again is led to the group.
    again = doras.get(f"/join/{code}")
    assert again.headers["Location"] == f"/conversations/{group.pk}"


def test_what_a_page_loads_is_not_told_the_code_in_its_address(
    ann: User, group: Conversation, doras: Client
) -> None:
    code = made(ann, group)
    for browser, path in (
        (doras, f"/join/{code}"),
        (Client(), f"/join/{code}"),
        (Client(), "/join/guessed"),
        (Client(), f"/sign-in?next=/join/{code}"),
    ):
        # Not `no-referrer`: browsers would send `Origin: null` with the page's form.
        assert browser.get(path).headers["Referrer-Policy"] == "strict-origin"


def test_every_link_that_cannot_be_used_gets_one_page(
    ann: User, bobs: Client, group: Conversation
) -> None:
    """Also for whom an owner removed: it does not say so."""
    codes = [made(ann, group) for _ in range(4)]
    expired, used_up, revoked, _ = InviteCode.objects.order_by("pk")
    InviteCode.objects.filter(pk=expired.pk).update(expires_at=expired.created_at)
    InviteCode.objects.filter(pk=used_up.pk).update(used=5)
    revoked.delete()
    participants.remove_participant(membership=owned_by(ann, group), username="bob")
    answers = [
        getattr(browser, method)(f"/join/{code}")
        for code in (*codes, "unknown", "é", "x" * 500)
        for browser, method in ((bobs, "get"), (bobs, "post"))
    ]
    assert {answer.status_code for answer in answers} == {HTTPStatus.FORBIDDEN}
    bodies = {
        re.sub(rb'[0-9A-Za-z]{64}|data-(lasts|now)="\d+"', b"", answer.content)
        for answer in answers
    }
    assert len(bodies) == 1
    assert b"This link cannot be used" in bodies.pop()


def test_a_newcomer_gets_the_sign_up_form_filled_and_joins(
    ann: User, group: Conversation
) -> None:
    code = made(ann, group)
    browser = Client()
    page = browser.get(f"/join/{code}").content.decode()
    assert str(group.title) in page
    assert f'<input type="hidden" name="invite_code" value="{code}"' in page
    assert f"/sign-in?next=/join/{code}" in page
    answer = browser.post("/sign-up", {**SIGN_UP, "invite_code": code})
    assert answer.headers["Location"] == f"/conversations/{group.pk}"


def test_a_refused_form_keeps_the_code(ann: User, group: Conversation) -> None:
    code = made(ann, group)
    form = {**SIGN_UP, "username": "ann", "invite_code": code}
    page = Client().post("/sign-up", form).content.decode()
    assert f'name="invite_code" value="{code}"' in page


def test_a_newcomer_whose_link_ended_meanwhile_is_told(
    ann: User, group: Conversation
) -> None:
    code = made(ann, group)
    InviteCode.objects.all().delete()
    browser = Client()
    answer = browser.post("/sign-up", {**SIGN_UP, "invite_code": code}, follow=True)
    assert "the link has ended" in answer.content.decode().replace("\n", " ")


@pytest.mark.parametrize("registration", ["invite", "open"])
def test_a_newcomer_is_told_that_the_group_is_full(
    ann: User, group: Conversation, settings: Settings, registration: str
) -> None:
    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    ann.refresh_from_db()
    settings.PARLEY_REGISTRATION = registration
    code = made(ann, group)
    settings.PARLEY_MAX_PARTICIPANTS = 1
    form = {**SIGN_UP, "invite_code": code}
    answer = Client().post("/sign-up", form, follow=True)
    assert "that you were invited to is full" in answer.content.decode()
    assert User.objects.filter(username="eve").exists()


def test_who_needed_a_code_of_the_server_is_told_of_no_group(
    settings: Settings, db: None
) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    code = invites.create_invite(uses=1, expires_in=None)
    form = {**SIGN_UP, "invite_code": code}
    answer = Client().post("/sign-up", form, follow=True)
    assert "that you were invited to" not in answer.content.decode()


def test_where_invitations_are_required_the_form_says_so_first(
    ann: User, group: Conversation, settings: Settings
) -> None:
    settings.PARLEY_REGISTRATION = "invite"
    page = Client().get("/sign-up").content.decode()
    assert page.index("An account here takes an invitation") < page.index("<form")
    to_server = invites.create_invite(uses=1, expires_in=None)
    filled = Client().get(f"/join/{to_server}").content.decode()
    assert re.search(
        rf'<input type="text" name="invite_code" value="{to_server}"', filled
    )
    # A group's is not enough, and its page says so instead of showing a form.
    refused = Client().get(f"/join/{made(ann, group)}").content.decode()
    assert "invitation of its own" in refused
    assert "<form" not in refused


def test_who_has_an_account_is_told_that_a_link_of_the_server_is_not_for_them(
    doras: Client,
) -> None:
    code = invites.create_invite(uses=1, expires_in=None)
    page = doras.get(f"/join/{code}")
    assert page.status_code == HTTPStatus.OK
    assert "You have one already" in page.content.decode()
    assert doras.post(f"/join/{code}").status_code == HTTPStatus.FORBIDDEN
    assert InviteCode.objects.get().used == 0


def test_whose_session_ended_is_asked_again(ann: User, group: Conversation) -> None:
    code = made(ann, group)
    assert Client().post(f"/join/{code}").headers["Location"] == f"/join/{code}"


def test_administrators_make_list_and_revoke_links_to_the_server(
    ann: User, anns: Client, bobs: Client
) -> None:
    here = "/administration/invitations"
    for browser in (anns, bobs):
        assert browser.get(here).status_code == HTTPStatus.NOT_FOUND
    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    assert here in anns.get("/administration").content.decode()
    assert "/join/" in anns.post(here, FORM).content.decode()
    row = InviteCode.objects.get()
    assert (row.max_uses, row.created_by_id, row.conversation_id) == (5, ann.pk, None)
    assert "Used 0 of 5" in anns.get(here).content.decode()
    revoke = f"{here}/{row.pk}/revoke"
    assert bobs.post(revoke).status_code == HTTPStatus.NOT_FOUND
    assert anns.post(revoke).headers["Location"] == here
    assert not InviteCode.objects.exists()
