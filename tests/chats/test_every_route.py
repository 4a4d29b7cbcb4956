"""Every route, for its own users, strangers, anonymous clients and forged requests."""

import re
from collections.abc import Mapping
from typing import Final

import pytest
from django.test import Client

from messaging.ids import MAX_ID
from messaging.models import User
from messaging.models.sessions import digest_of
from tests.api_client import Answer, JsonValue
from tests.browsers import browser_of
from tests.chats.routes import (
    ADMINISTRATION_ROUTES,
    IN_PLACE,
    METHODS,
    PUBLIC_ROUTES,
    ROUTES,
    ROWS,
    SIGN_IN_ROUTES,
    Route,
    sent,
)
from tests.conftest import MakeUser
from tests.contract.sample_data import SampleData
from tests.tables import all_rows

# All else sends nobody to sign in.
PUBLIC: Final = (
    SIGN_IN_ROUTES
    | PUBLIC_ROUTES
    | {"favicon.ico", "home", "join", "set_up", "sign_out"}
)

# What a path may name that is somebody's, and one of each kind that is not there.
MISSING: Final[Mapping[str, JsonValue]] = {
    **dict.fromkeys(("conversation_id", "message_id", "notification_id"), MAX_ID),
    **dict.fromkeys(("token_id", "user_id", "invitation_id"), MAX_ID),
    "reference": digest_of("of no session"),
}
# A name that everyone may look up, a number within a message, and a code that is for
# whoever has it.
KNOWN: Final = frozenset({"username", "version", "code"})

# Fields that people write in.
TYPED: Final = frozenset(
    {
        *("content", "title", "participant", "username", "display_name", "name"),
        "server_name",
    }
)


# Masked anew in each answer; and the seconds that a session lasts may go on meanwhile.
_VARYING: Final = re.compile(rb'[0-9A-Za-z]{64}|data-lasts="\d+"')


# Those whose path names what is not everybody's to know of.
SOMEBODYS: Final = [route for route in ROUTES if route.parameters - KNOWN]

every_route = pytest.mark.parametrize("route", ROUTES, ids=str)


@pytest.fixture
def strangers(sample_data: SampleData, make_user: MakeUser) -> Client:
    return browser_of(make_user("stranger"))


def _comparable(answer: Answer) -> Answer:
    headers = {
        name: value for name, value in answer.headers.items() if name != "X-Request-ID"
    }
    return Answer(answer.status, headers, _VARYING.sub(b"", answer.body))


def test_the_table_has_a_row_for_all_routes_and_no_others() -> None:
    assert sorted(route.name for route in ROUTES) == sorted(ROWS)


def test_what_a_path_names_is_somebodys_or_known() -> None:
    named = {name for route in ROUTES for name in route.parameters}
    assert named == MISSING.keys() | KNOWN


@pytest.mark.parametrize(
    "section", sorted({route.pattern.partition("/")[0] for route in ROUTES} - {""})
)
def test_what_is_missing_below_a_page_is_a_page(section: str, db: None) -> None:
    """For scripts too, which do not ask for HTML by name; elsewhere it is a problem."""
    missing = Client().get(f"/{section}/nothing/here", headers={"Accept": "*/*"})
    elsewhere = Client().get(f"/x{section}/nothing", headers={"Accept": "*/*"})
    assert (missing.status_code, elsewhere.status_code) == (404, 404)
    assert missing.headers["Content-Type"].startswith("text/html")
    assert elsewhere.headers["Content-Type"] == "application/problem+json"


@every_route
def test_whom_it_is_for_is_answered_as_declared(
    route: Route, sample_data: SampleData, sample_data_browser: Client
) -> None:
    """Their POST writes, so that what refuses it to others is not its form."""
    browser = Client() if route.name in SIGN_IN_ROUTES else sample_data_browser
    if route.name in ADMINISTRATION_ROUTES:
        browser = browser_of(User.objects.get(username="root"))
    before = all_rows()
    read = sent(browser, "GET", route, sample_data)
    assert all_rows() == before
    written = sent(browser, "POST", route, sample_data)
    assert (read.status, written.status) == ROWS[route.name].statuses
    # What is over once there is an account is not there.
    takes_forms = written.status not in {404, 405}
    assert (all_rows() != before) == takes_forms
    if route.name not in PUBLIC:
        for answer in (read, written):
            assert answer.headers["Cache-Control"].startswith(("private", "no-store"))


@pytest.mark.slow(but_one_in=4)
@every_route
def test_a_form_without_its_token_does_nothing(
    route: Route, sample_data: SampleData
) -> None:
    nobodys, anns = (Client(enforce_csrf_checks=True) for _ in range(2))
    anns.force_login(User.objects.get(username="ann"))
    before = all_rows()
    for browser in (nobodys, anns):
        answer = sent(browser, "POST", route, sample_data)
        # Who is signed in by now, as in another tab, is redirected by the page to sign in.
        if route.name == "sign_in" and browser is anns:
            assert answer.status == 302
        elif answer.status != 405:
            assert answer.status == 403
            assert b"too old" in answer.body
            assert answer.headers["Cache-Control"] == "private, no-store"
    assert all_rows() == before


@pytest.mark.slow(but_one_in=2)
@every_route
def test_only_public_routes_admit_anonymous_users(
    route: Route, sample_data: SampleData
) -> None:
    browser = Client()
    before = all_rows()
    read = sent(browser, "GET", route, sample_data)
    written = sent(browser, "POST", route, sample_data)
    if route.name in PUBLIC:
        assert (read.status, written.status) == ROWS[route.name].statuses
    else:
        path = route.path(sample_data)
        assert read.headers["Location"] == f"/sign-in?next={path}"
        if written.status == 403:
            # What was typed is given back.
            assert TYPED & set(ROWS[route.name].fields)
            assert b"You are signed out" in written.body
            assert written.headers["Cache-Control"] == "private, no-store"
        else:
            assert written.headers["Location"] == "/sign-in?next=/"
    assert (all_rows() != before) == (route.name in SIGN_IN_ROUTES)


@pytest.mark.slow(but_one_in=4)
@pytest.mark.parametrize("headers", [{}, IN_PLACE], ids=["page", "in place"])
@pytest.mark.parametrize("route", SOMEBODYS, ids=str)
def test_a_stranger_is_answered_as_if_it_were_not_there(
    route: Route, headers: Mapping[str, str], sample_data: SampleData, strangers: Client
) -> None:
    before = all_rows()
    for method, declared in zip(METHODS, ROWS[route.name].statuses, strict=True):
        theirs = sent(strangers, method, route, sample_data, headers=headers)
        missing = sent(
            strangers, method, route, sample_data, instead=MISSING, headers=headers
        )
        is_hidden = declared != 405 or route.name in ADMINISTRATION_ROUTES
        assert theirs.status == (404 if is_hidden else 405)
        assert theirs.headers["Cache-Control"] == "private, no-store"
        assert _comparable(theirs) == _comparable(missing)
    assert all_rows() == before


@pytest.mark.parametrize("headers", [{}, IN_PLACE], ids=["page", "in place"])
@pytest.mark.parametrize(
    "route", [each for each in ROUTES if each.name in ADMINISTRATION_ROUTES], ids=str
)
def test_who_is_no_staff_is_answered_as_if_there_were_no_administration(
    route: Route,
    headers: Mapping[str, str],
    sample_data: SampleData,
    sample_data_browser: Client,
) -> None:
    before = all_rows()
    nowhere = sample_data_browser.get("/administration/nowhere", headers=headers)
    for method, declared in zip(METHODS, ROWS[route.name].statuses, strict=True):
        if declared == 405:
            continue
        answer = sent(sample_data_browser, method, route, sample_data, headers=headers)
        assert answer.status == 404
        assert _VARYING.sub(b"", answer.body) == _VARYING.sub(b"", nowhere.content)
    assert all_rows() == before
