"""The end of a session, or of a membership in a conversation, reaches every open page."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import ARGUMENTS, Browse, NewPerson
from tests.browser.held_requests import events_are_heard, hold_requests
from tests.browser.pages import NEW_PASSWORD, in_main, sign_in
from tests.browser.signed_in_users import SignedInUser, remove_participant
from tests.live_server import PASSWORD, LiveServer

SECRET = "The key is under the mat."
DRAFT = "What was never sent"

# Somebody, and the session of theirs in another browser.
End = Callable[[LiveServer, SignedInUser, SignedInUser], object]


def manage(server: LiveServer, *arguments: str, stdin: str = "") -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=server.environment,
        cwd=settings.BASE_DIR,
        input=stdin.encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def with_account(server: LiveServer, someone: SignedInUser, action: str) -> None:
    """As the admin does, which saves or deletes an account as a whole."""
    code = f"user = User.objects.get(username={someone.username!r})\n{action}"
    manage(server, "shell", "-v0", "-c", code)


def sign_out_others(
    server: LiveServer, ann: SignedInUser, elsewhere: SignedInUser
) -> None:
    form = {"csrfmiddlewaretoken": elsewhere.client.cookies["csrftoken"]}
    assert elsewhere.client.post("/settings/sessions/end-others", data=form).is_redirect


ENDS: Mapping[str, End] = {
    "signed-out-everywhere-else": sign_out_others,
    "password-changed-elsewhere": lambda _, __, elsewhere: elsewhere.put(
        "/me/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    ),
    "set_password": lambda server, ann, _: manage(
        server, "set_password", ann.username, "--password-stdin", stdin=NEW_PASSWORD
    ),
    "revoke_tokens": lambda server, ann, _: manage(
        server, "revoke_tokens", ann.username
    ),
    "suspended": lambda server, ann, _: with_account(
        server, ann, "user.is_active = False; user.save()"
    ),
    "account-deleted": lambda server, ann, _: with_account(
        server, ann, "user.delete()"
    ),
}


def another_tab(page: Page, path: str) -> Page:
    tab = page.context.new_page()
    tab.goto(path)
    return tab


def drafts(page: Page) -> str:
    kept: str = page.evaluate(
        "Object.keys(localStorage).filter((key) => key.startsWith('parley.draft'))"
        ".map((key) => localStorage[key]).join()"
    )
    return kept


def expect_nothing_left(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    # What was typed is forgotten by a script of this page.
    page.wait_for_load_state()
    assert SECRET not in page.content()
    assert DRAFT not in page.content()


@pytest.fixture
def walks(
    ann: SignedInUser, bob: SignedInUser
) -> tuple[SignedInUser, SignedInUser, int]:
    """A group of Bob's, in which he has written to Ann."""
    group = bob.group("Walks", ann)
    bob.say(group, SECRET)
    return ann, bob, group


def test_who_signs_out_is_signed_out_in_every_tab(
    browse: Browse,
    browser_errors: BrowserErrors,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(401)
    ann, _, group = walks
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    other, signed_out = (
        another_tab(page, path)
        for path in (f"/conversations/{group}", "/notifications")
    )
    expect(in_main(signed_out, SECRET)).to_be_visible()
    expect(in_main(other, SECRET)).to_be_visible()
    other.get_by_label("Your message").fill(DRAFT)
    page.get_by_role("button", name="Sign out").click()
    expect_nothing_left(page)
    for tab in (other, signed_out):
        expect_nothing_left(tab)
        assert drafts(tab) == ""
    sign_in_here(other, ann.username)
    expect(in_main(other, SECRET)).to_be_visible()
    expect(other.get_by_label("Your message")).to_have_value("")


def sign_in_here(page: Page, username: str, password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_whoever_ends_a_session_ends_its_pages(
    browse: Browse,
    browser_errors: BrowserErrors,
    server: LiveServer,
    walks: tuple[SignedInUser, SignedInUser, int],
    end: End,
) -> None:
    # 404: what the page marks read just then is gone with the account.
    browser_errors.allow(401, 404)
    ann, _, group = walks
    elsewhere = SignedInUser.known(server, ann.username, PASSWORD)
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    with page.expect_response("**/api/v1/events*"):
        page.reload()
    page.get_by_label("Your message").fill(DRAFT)
    assert DRAFT in drafts(page)
    end(server, ann, elsewhere)
    expect_nothing_left(page)
    assert drafts(page) == ""


def test_a_session_whose_time_is_over_leaves_what_was_typed_to_its_person(
    browse: Browse,
    browser_errors: BrowserErrors,
    server: LiveServer,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(401)
    ann, _, group = walks
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    page.get_by_label("Your message").fill(DRAFT)
    # Its page knows for how long the session was to last.
    page.clock.set_system_time(datetime.now(UTC) + timedelta(days=15))
    with_account(
        server,
        ann,
        "from django.utils.timezone import now\nuser.sessions.update(expire_date=now())",
    )
    expect_nothing_left(page)
    expect(page.get_by_text("What you were writing is kept for you.")).to_be_visible()
    sign_in_here(page, ann.username)
    expect(page.get_by_label("Your message")).to_have_value(DRAFT)


def test_a_new_password_leaves_the_other_tabs_of_its_browser_where_they_were(
    browse: Browse,
    browser_errors: BrowserErrors,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(401)
    ann, bob, group = walks
    page = browse(ann)
    page.goto("/account/password")
    other = another_tab(page, f"/conversations/{group}")
    other.get_by_label("Your message").fill(DRAFT)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    bob.say(group, "Still there?")
    expect(other.locator(".message").get_by_text("Still there?")).to_be_visible()
    expect(other.get_by_label("Your message")).to_have_value(DRAFT)


def test_a_tab_of_somebody_else_does_not_go_on_as_who_signs_in(
    browse: Browse,
    browser_errors: BrowserErrors,
    new_person: NewPerson,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(401, 404)
    ann, _, group = walks
    cleo = new_person("Cleo")
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    expect(in_main(page, SECRET)).to_be_visible()
    page.get_by_label("Your message").fill(DRAFT)
    assert DRAFT in drafts(page)
    # As when the browser was closed: nothing of it was signed out.
    page.context.clear_cookies(name="sessionid")
    other = page.context.new_page()
    sign_in(other, cleo.username, PASSWORD)
    expect(other.get_by_role("heading", name="Conversations")).to_be_visible()
    expect(page.get_by_text(SECRET)).to_have_count(0)
    # A script of the page deletes them.
    other.wait_for_load_state()
    assert drafts(other) == ""


def test_a_page_asked_for_without_scripts_leads_to_the_sign_in_and_back(
    browse: Browse, server: LiveServer, walks: tuple[SignedInUser, SignedInUser, int]
) -> None:
    ann, _, group = walks
    page = browse(ann, scripts=False)
    page.goto(f"/conversations/{group}")
    sign_out_others(server, ann, SignedInUser.known(server, ann.username, PASSWORD))
    page.reload()
    expect_nothing_left(page)
    sign_in_here(page, ann.username)
    expect(in_main(page, SECRET)).to_be_visible()


PAGES_OF_A_CONVERSATION = (
    "/conversations/{group}",
    "/conversations/{group}/details",
    "/messages/{message}/thread",
    "/messages/{message}/history",
    "/messages/{own}/receipts",
    "/messages/{own}/edit",
)


@pytest.mark.parametrize("path", PAGES_OF_A_CONVERSATION)
def test_a_removed_member_sees_the_group_in_no_tab(
    browser_errors: BrowserErrors,
    path: str,
    ann: SignedInUser,
    bob: SignedInUser,
    page: Page,
) -> None:
    browser_errors.allow(404)
    group = bob.group("Walks", ann)
    message, own = bob.say(group, SECRET), ann.say(group, f"{SECRET} Really.")
    bob.patch(f"/messages/{message}", {"content": f"{SECRET} Yes."})
    with page.expect_response("**/api/v1/events*"):
        page.goto(path.format(group=group, message=message, own=own))
    tab = another_tab(page, "/conversations")
    expect(tab.locator("#list").get_by_text("Walks")).to_be_visible()
    remove_participant(bob, group, ann)
    expect(
        page.get_by_role("heading", name="You are no longer in this group")
    ).to_be_visible()
    assert SECRET not in page.content()
    expect(tab.locator("main").get_by_text("Walks")).to_have_count(0)


def test_leaving_in_one_tab_leaves_in_all_tabs(
    browse: Browse,
    browser_errors: BrowserErrors,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(404)
    ann, _, group = walks
    page = browse(ann)
    page.goto(f"/conversations/{group}/details")
    other = another_tab(page, f"/conversations/{group}")
    expect(in_main(other, SECRET)).to_be_visible()
    page.locator("summary", has_text="Leave").click()
    page.get_by_role("button", name="Leave the group").click()
    expect(in_main(page, "You left Walks.")).to_be_visible()
    expect(
        other.get_by_role("heading", name="You are no longer in this group")
    ).to_be_visible()
    assert SECRET not in other.content()


def test_a_conversation_that_is_gone_leaves_the_screen(
    browser_errors: BrowserErrors,
    server: LiveServer,
    bob: SignedInUser,
    conversation_id: int,
    page: Page,
) -> None:
    browser_errors.allow(404)
    bob.say(conversation_id, SECRET)
    with page.expect_response("**/api/v1/events*"):
        page.goto(f"/conversations/{conversation_id}")
    with_account(server, bob, "user.delete()")
    expect(
        page.get_by_role("heading", name="This conversation is gone")
    ).to_be_visible()
    assert SECRET not in page.content()


def test_nothing_beside_a_page_shows_a_group_that_one_was_removed_from(
    browse: Browse,
    browser_errors: BrowserErrors,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(404)
    ann, bob, group = walks
    root = bob.say(group, "Where is it?")
    bob.say(group, SECRET, reply_to=root)
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    events_are_heard(page)
    page.get_by_role("link", name="1 reply").click()
    expect(page.locator("#side").get_by_text(SECRET)).to_be_visible()
    tab = another_tab(page, "/settings")
    expect(tab.locator(".pane").get_by_text(SECRET)).to_be_visible()
    # What is fetched again comes later.
    with hold_requests(tab, "**/conversations", method="GET"):
        remove_participant(bob, group, ann)
        expect(tab.get_by_text(SECRET)).to_have_count(0)
    expect(
        page.get_by_role("heading", name="You are no longer in this group")
    ).to_be_visible()
    assert SECRET not in page.content()


def test_a_sign_out_that_failed_erases_nothing(
    browse: Browse,
    browser_errors: BrowserErrors,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(503)
    ann, _, group = walks
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    page.get_by_label("Your message").fill(DRAFT)
    with hold_requests(page, "**/sign-out") as exits:
        page.get_by_role("button", name="Sign out").click(no_wait_after=True)
        with page.expect_navigation():
            exits.take().fulfill(status=503, body="busy")
    page.goto(f"/conversations/{group}")
    expect(page.get_by_label("Your message")).to_have_value(DRAFT)


def test_who_signs_out_and_is_gone_before_the_answer_leaves_nothing(
    browse: Browse,
    browser_errors: BrowserErrors,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(401)
    ann, _, group = walks
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    page.get_by_label("Your message").fill(DRAFT)
    with hold_requests(page, "**/sign-out") as exits:
        page.get_by_role("button", name="Sign out").click(no_wait_after=True)
        exits.take().fetch(max_redirects=0)
        page.context.clear_cookies(name="sessionid")
        page.goto("/conversations")
    expect_nothing_left(page)
    assert drafts(page) == ""


def test_who_signs_out_is_asked_about_what_is_unsent(
    browse: Browse,
    browser_errors: BrowserErrors,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(401, 503)
    ann, _, group = walks
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    with hold_requests(page, "**/send") as sends:
        page.get_by_label("Your message").fill("Wait for me.")
        page.get_by_label("Your message").press("Control+Enter")
        sends.take().fulfill(status=503, headers={"Retry-After": "100"}, body="busy")
        expect(page.locator(".unsent")).to_contain_text("Waiting")
        page.get_by_role("button", name="Sign out").click()
        asked = page.get_by_role("dialog", name="1 message is not sent yet")
        asked.get_by_role("button", name="Stay").click()
        expect(asked).to_have_count(0)
        expect(page.locator(".unsent")).to_have_text(re.compile("Wait for me."))
        page.get_by_role("button", name="Sign out").click()
        asked.get_by_role("button", name="Sign out all the same").click()
        expect_nothing_left(page)
    assert drafts(page) == ""


def test_a_session_that_ended_slightly_early_counts_as_expired(
    browse: Browse,
    browser_errors: BrowserErrors,
    server: LiveServer,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    """A page that took a while to arrive counts from too late."""
    browser_errors.allow(401)
    ann, _, group = walks
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    page.get_by_label("Your message").fill(DRAFT)
    lasts = int(page.locator("html").get_attribute("data-lasts") or 0)
    page.clock.set_system_time(datetime.now(UTC) + timedelta(seconds=lasts - 9))
    with_account(
        server,
        ann,
        "from django.utils.timezone import now\nuser.sessions.update(expire_date=now())",
    )
    expect_nothing_left(page)
    expect(page.get_by_text("What you were writing is kept for you.")).to_be_visible()
    assert DRAFT in drafts(page)


def test_a_page_that_knows_no_time_of_its_session_was_ended(
    browse: Browse,
    browser_errors: BrowserErrors,
    server: LiveServer,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    browser_errors.allow(401)
    ann, _, group = walks
    page = browse(ann)
    page.goto(f"/conversations/{group}")
    page.get_by_label("Your message").fill(DRAFT)
    page.evaluate("document.documentElement.dataset.lasts = '0'")
    sign_out_others(server, ann, SignedInUser.known(server, ann.username, PASSWORD))
    expect_nothing_left(page)
    expect(page.get_by_text("You have been signed out.")).to_be_visible()
    assert drafts(page) == ""


def test_who_signs_in_is_signed_in_in_every_tab(
    browse: Browse, walks: tuple[SignedInUser, SignedInUser, int]
) -> None:
    ann, _, group = walks
    page = browse()
    page.goto(f"/conversations/{group}")
    other = another_tab(page, f"/conversations/{group}")
    sign_up = another_tab(page, "/sign-up")
    sign_in_here(page, ann.username)
    for tab in (page, other):
        expect(in_main(tab, SECRET)).to_be_visible()
    expect(sign_up.get_by_role("heading", name="Conversations")).to_be_visible()


def test_a_sign_in_page_redirects_who_is_signed_in(
    browse: Browse, walks: tuple[SignedInUser, SignedInUser, int], *, scripts: bool
) -> None:
    ann, _, group = walks
    page = browse(scripts=scripts)
    page.goto(f"/conversations/{group}")
    # As in another tab, of which this one got no message.
    form = page.context.request.get("/sign-in")
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', form.text())
    assert token
    page.context.request.post(
        "/sign-in",
        form={
            "csrfmiddlewaretoken": token[1],
            "username": ann.username,
            "password": PASSWORD,
        },
    )
    sign_in_here(page, ann.username)
    expect(in_main(page, SECRET)).to_be_visible()


@pytest.fixture
def with_bfcache(chromium_path: str, chromium: Browser) -> Iterator[Browser]:
    """Playwright turns off the back-forward cache."""
    browser = chromium.browser_type.launch(
        executable_path=chromium_path,
        args=[*ARGUMENTS, "--enable-features=CacheControlNoStoreEnterBackForwardCache"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    browser.close()


def test_going_back_after_the_end_shows_nothing(
    with_bfcache: Browser,
    server: LiveServer,
    walks: tuple[SignedInUser, SignedInUser, int],
) -> None:
    ann, _, group = walks
    elsewhere = SignedInUser.known(server, ann.username, PASSWORD)
    context = with_bfcache.new_context(base_url=server.urls[0])
    context.add_cookies(
        [{"name": "sessionid", "value": ann.session, "url": server.urls[0]}]
    )
    page = context.new_page()
    page.goto(f"/conversations/{group}")
    expect(in_main(page, SECRET)).to_be_visible()
    page.goto("/api/v1/docs")
    sign_out_others(server, ann, elsewhere)
    page.go_back()
    expect_nothing_left(page)
