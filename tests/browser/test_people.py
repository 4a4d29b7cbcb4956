"""Finding people, writing to them, blocking them; notifications."""

from playwright.sync_api import Page, Route, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse
from tests.browser.pages import nothing_reloads
from tests.browser.signed_in_users import SignedInUser


def test_people_are_found_while_typing(bob: SignedInUser, page: Page) -> None:
    page.goto("/people")
    with nothing_reloads(page):
        page.get_by_label("Find people").press_sequentially(bob.username)
        expect(page.locator(".person")).to_have_count(1)
        page.get_by_role("button", name="Write to Bob").click()
        expect(page.get_by_role("heading", name="Bob")).to_be_visible()


def test_people_are_found_and_written_to_without_scripts(
    browse: Browse, ann: SignedInUser, bob: SignedInUser
) -> None:
    page = browse(ann, scripts=False)
    page.goto("/people")
    page.get_by_role("searchbox").fill(bob.username)
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("button", name="Write to Bob").click()
    page.get_by_label("Your message").fill("Good morning, Bob.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Good morning, Bob.")).to_be_visible()


def test_a_user_is_blocked_and_unblocked(
    browse: Browse,
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    bob: SignedInUser,
    *,
    scripts: bool,
) -> None:
    browser_errors.allow(403)
    page = browse(ann, scripts=scripts)
    page.goto(f"/people?q={bob.username}")
    page.locator("summary", has_text="Block Bob").click()
    page.get_by_role("button", name="Block Bob").click()
    expect(page.get_by_text("Bob is blocked.")).to_be_visible()
    bobs = browse(bob, scripts=scripts)
    bobs.goto(f"/people?q={ann.username}")
    bobs.get_by_role("button", name="Write to Ann").click()
    expect(bobs.get_by_text("This cannot be delivered.")).to_be_visible()
    page.goto("/people/blocked")
    page.get_by_role("button", name="Unblock Bob").click()
    expect(page.get_by_text("Bob is no longer blocked.")).to_be_visible()
    ann.start_direct(bob)


def test_a_notification_is_marked_read_in_its_place(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, *, scripts: bool
) -> None:
    conversation_id = bob.group("Walks", ann)
    bob.say(conversation_id, f"@{ann.username}, are you coming?")
    bob.say(conversation_id, "We leave at nine.")
    page = browse(ann, scripts=scripts)
    page.goto("/notifications")
    expect(page).to_have_title("(2) Notifications · Parley")
    rows = page.locator(".mail")
    expect(rows.nth(0)).to_contain_text("Bob wrote in Walks")
    expect(rows.nth(1)).to_contain_text("Bob mentioned you in Walks")
    rows.nth(1).get_by_role("button", name="Mark read").click()
    expect(page).to_have_title("(1) Notifications · Parley")
    expect(rows.nth(1).get_by_role("button")).to_have_count(0)
    page.get_by_role("button", name="Mark all as read").click()
    expect(page).to_have_title("Notifications · Parley")
    # Read mentions and replies stay.
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Bob mentioned you in Walks")
    expect(page.get_by_role("button", name="Mark read")).to_have_count(0)


def test_a_notice_stays_when_messages_arrive(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "The first.")
    routes: list[Route] = []
    # A function of Python's own: Playwright writes on it.
    page.route("**/notifications/read", lambda route: routes.append(route))  # noqa: PLW0108
    page.goto("/notifications")
    with page.expect_request("**/notifications/read"):
        page.get_by_role("button", name="Mark all as read").click()
    with page.expect_response("**/notifications"):
        bob.say(conversation_id, "The second.")
    routes[0].continue_()
    flash = page.get_by_text("Marked as read.")
    expect(flash).to_be_visible()
    expect(page.locator(".mail")).to_have_count(1)
    expect(page).to_have_title("(1) Notifications · Parley")
    bob.say(conversation_id, "The third.")
    expect(page.locator(".mail")).to_have_count(2)
    expect(flash).to_be_visible()


def test_a_notification_leads_to_its_message(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "The first of many.")
    for number in range(40):
        bob.say(conversation_id, f"Number {number}.")
    page.goto("/notifications")
    page.get_by_role("link", name="Older").scroll_into_view_if_needed()
    page.get_by_role("link", name="The first of many.").click()
    expect(page.get_by_text("The first of many.")).to_be_in_viewport()


def test_the_inbox_empties_one_by_one_and_at_once(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    *,
    scripts: bool,
) -> None:
    for number in range(3):
        bob.say(conversation_id, f"Number {number}.")
    page = browse(ann, scripts=scripts)
    page.goto("/inbox")
    page.get_by_role("button", name="Mark read").nth(1).click()
    expect(page.locator(".mail")).to_have_count(2)
    expect(page).to_have_title("(2) Inbox · Parley")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("All caught up.")).to_be_visible()
    expect(page).to_have_title("Inbox · Parley")
