"""Opening an account, signing in and out, the password, the end of an account."""

import secrets
from collections.abc import Mapping

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse, NewPerson
from tests.browser.demo_pages import seeded_demo
from tests.browser.pages import NEW_PASSWORD, sign_in
from tests.browser.signed_in_users import TIMEOUT, SignedInUser
from tests.live_server import PASSWORD, LiveServer


def test_an_account_is_opened_left_and_entered_again(
    browse: Browse, browser_errors: BrowserErrors, *, scripts: bool
) -> None:
    # The page asks who it is for, if its stream ends before it is left.
    browser_errors.allow(401)
    page = browse(scripts=scripts)
    username = f"dora-{secrets.token_hex(4)}"
    page.goto("/sign-up")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Your name").fill("Dora")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open my account").click()
    expect(page.get_by_text("No conversations yet.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, username, "not this one")
    expect(
        page.get_by_text("There is no account with this username and password")
    ).to_be_visible()
    sign_in(page, username, PASSWORD)
    expect(page.get_by_role("heading", name="Conversations")).to_be_visible()


def test_a_refused_name_is_reported_at_its_field(
    browse: Browse, browser_errors: BrowserErrors
) -> None:
    browser_errors.allow(422)
    page = browse()
    page.goto("/sign-up")
    page.get_by_label("Username").fill("no spaces")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open my account").click()
    expect(page.get_by_text("A username has 1 to 64 letters")).to_be_visible()
    expect(page.get_by_label("Username")).to_have_value("no spaces")


def test_a_new_password_signs_out_elsewhere(
    browse: Browse,
    browser_errors: BrowserErrors,
    new_person: NewPerson,
    *,
    scripts: bool,
) -> None:
    # The page asks who it is for.
    browser_errors.allow(401)
    ann = new_person("Ann")
    page, elsewhere = browse(ann, scripts=scripts), browse()
    sign_in(elsewhere, ann.username, PASSWORD)
    expect(elsewhere.get_by_role("heading", name="Conversations")).to_be_visible()
    page.goto("/settings")
    page.get_by_role("link", name="Password").click()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    elsewhere.goto("/conversations")
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_account_ends_with_a_receipt(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    *,
    scripts: bool,
) -> None:
    ann.say(conversation_id, "Farewell.")
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_label("Your message").fill("What was never sent")
    page.goto("/settings")
    page.get_by_role("link", name="Delete your account").click()
    expect(page.get_by_text("This goes with it:")).to_be_visible()
    counts = page.locator(".counts").inner_text()
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("The password is wrong.")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("heading", name="Your account is deleted")).to_be_visible()
    assert page.locator(".counts").inner_text() == counts
    if scripts:
        assert "never sent" not in page.evaluate("JSON.stringify(localStorage)")
    assert bob.get("/conversations").json()["items"] == []


def test_a_display_name_is_changed_in_the_settings(
    browse: Browse, new_person: NewPerson, *, scripts: bool
) -> None:
    page = browse(new_person("Ann"), scripts=scripts)
    page.goto("/settings")
    page.get_by_label("Your name").fill("Anna Lovelace")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your name is changed.")).to_be_visible()
    expect(page.locator(".navigation-foot")).to_contain_text("Anna Lovelace")


def test_a_token_is_shown_once_and_revoked(
    browse: Browse, new_person: NewPerson, server: LiveServer, *, scripts: bool
) -> None:
    page = browse(new_person("Ann"), scripts=scripts)
    page.goto("/settings/tokens")
    page.get_by_label("Name", exact=True).fill("backup")
    page.get_by_label("Valid for").select_option("A year")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator(".secret").inner_text()
    assert opens(server, secret)
    page.goto("/settings/tokens")
    expect(page.get_by_text(secret)).to_have_count(0)
    page.locator("summary", has_text="Revoke backup").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The token is revoked.")).to_be_visible()
    expect(page.get_by_text("You have no access tokens.")).to_be_visible()
    assert not opens(server, secret)


def opens(server: LiveServer, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{server.urls[0]}/api/v1/me", headers=headers, timeout=TIMEOUT)
    return answer.status_code == httpx.codes.OK


def test_a_token_is_made_with_the_password(
    browse: Browse, browser_errors: BrowserErrors, new_person: NewPerson
) -> None:
    browser_errors.allow(403)
    page = browse(new_person("Ann"))
    page.goto("/settings/tokens")
    page.get_by_label("Name", exact=True).fill("backup")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("The password is wrong.")).to_be_visible()
    expect(page.get_by_text("You have no access tokens.")).to_be_visible()


def test_another_browser_is_signed_out(
    browse: Browse,
    browser_errors: BrowserErrors,
    new_person: NewPerson,
    *,
    scripts: bool,
) -> None:
    # The page asks who it is for.
    browser_errors.allow(401)
    ann = new_person("Ann")
    page, elsewhere = browse(ann, scripts=scripts), browse()
    sign_in(elsewhere, ann.username, PASSWORD)
    expect(elsewhere.get_by_role("heading", name="Conversations")).to_be_visible()
    page.goto("/settings/sessions")
    expect(page.locator(".setting")).to_have_count(2)
    expect(page.locator(".setting").nth(0)).to_contain_text("this one")
    expect(page.locator(".setting").nth(1)).to_contain_text("Chrome on Linux")
    expect(page.locator(".setting").nth(1)).not_to_contain_text("until now")
    page.locator("summary", has_text="Sign out Chrome on Linux").click()
    page.get_by_role("button", name="Sign this browser out").click()
    expect(page.get_by_text("That browser is signed out.")).to_be_visible()
    expect(page.locator(".setting")).to_have_count(1)
    elsewhere.goto("/conversations")
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()


def test_everything_of_ones_own_is_downloaded(
    browse: Browse, new_person: NewPerson
) -> None:
    page = browse(new_person("Ann"))
    page.goto("/settings")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download everything").click()
    assert download.value.suggested_filename == "parley-export.ndjson"
    lines = download.value.path().read_text("utf-8").splitlines()
    assert '"type":"end"' in lines[-1]


@pytest.mark.parametrize("path", ["/sign-in", "/settings"])
def test_the_api_docs_are_a_link_away_and_work_under_their_policy(
    browse: Browse, new_person: NewPerson, path: str
) -> None:
    page = browse(None if path == "/sign-in" else new_person("Ann"))
    page.goto(path)
    page.get_by_role("link", name="API docs").click()
    expect(page.get_by_role("heading", name="Parley")).to_be_visible()
    expect(page.locator(".opblock").first).to_be_visible()


def test_the_link_of_the_demo_signs_in(
    maya: SignedInUser,
    server: LiveServer,
    server_environment: Mapping[str, str],
    browse: Browse,
    scripts: bool,
) -> None:
    link = seeded_demo(server, server_environment).split()[-1]
    page = browse(scripts=scripts)
    page.goto(link)
    if not scripts:
        page.get_by_role("button", name="Look around as Maya").click()
    expect(page.get_by_role("heading", name="Conversations")).to_be_visible()
    expect(page.get_by_text("Elm Street neighbours").first).to_be_visible()
