"""Each task by the keyboard alone: wherever it leads, the focus is seen, and somewhere sensible.

No test here points at anything: what is looked for is reached as a person reaches it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import PHONE, Browse, NewPerson
from tests.browser.demo_pages import (
    ADMINISTRATION_PAGES,
    ERRORS,
    PAGES,
    SIGNED_OUT_PAGES,
)
from tests.browser.held_requests import events_are_heard
from tests.browser.pages import NEW_PASSWORD, in_main
from tests.browser.signed_in_users import SignedInUser
from tests.live_server import PASSWORD

# More stops than any page has between two things that belong together.
_MOST_STOPS = 60

# Why who looks at the page does not see where the focus is; or nothing. A field of the
# composer is seen by the edge of the composer.
_UNSEEN = """() => {
    const here = document.activeElement, { width, height, top, bottom } = here.getBoundingClientRect();
    if (here === document.body) return "it is nowhere";
    if (Math.min(width, height) < 8) return "it has no size";
    if (bottom <= 0 || top >= innerHeight) return "it is off the screen";
    for (let each = here; each; each = each.parentElement) {
        if (Number(getComputedStyle(each).opacity) < 1) return "it is transparent";
    }
    const ring = getComputedStyle(here.closest(".composer") && here.matches("textarea") ? here.closest(".composer") : here);
    return ring.outlineStyle === "none" && ring.boxShadow === "none" ? "nothing marks it" : null;
}"""


@dataclass(slots=True)
class Keyboard:
    """What a person without a mouse does with a page."""

    page: Page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def go_to(self, target: Locator, *, by: str = "Tab") -> None:
        """Press a key until the target has the focus, which is seen at each stop."""
        expect(target).to_be_visible()
        for _ in range(_MOST_STOPS):
            self.press(by)
            self.assert_seen()
            if target.evaluate("each => each === document.activeElement"):
                return
        pytest.fail(f"{by} does not lead to {target}.")

    def use(
        self, role: Literal["link", "button"], name: str, *, by: str = "Tab"
    ) -> None:
        """Go to what has this name, and press Enter."""
        target = self.page.get_by_role(role, name=name)
        self.go_to(target.first, by=by)
        self.press("Enter")

    def fill(self, label: str, text: str) -> None:
        self.go_to(self.page.get_by_label(label, exact=True))
        self.type(text)

    def choose(self, entry: str) -> None:
        """Take this entry of the menu of the message with the focus."""
        row = self.page.locator(".message:focus")
        expect(row).to_be_visible()
        message = self.page.locator(f"#{row.get_attribute('id')}")
        self.go_to(message.get_by_label("More about this message"))
        self.press("Enter")
        self.go_to(message.get_by_role("link", name=entry, exact=True))
        self.press("Enter")

    def assert_at(self, target: Locator) -> None:
        expect(target).to_be_focused()
        # Nobody presses a key before a part that arrived can be used.
        expect(self.page.locator(".htmx-added")).to_have_count(0)
        self.assert_seen()

    def assert_at_heading(self, name: str) -> None:
        """Where a new page begins."""
        self.assert_at(self.page.get_by_role("heading", name=name, level=1))

    def assert_seen(self) -> None:
        assert self.page.evaluate(_UNSEEN) is None, self.focus

    @property
    def focus(self) -> str:
        found: str = self.page.evaluate(
            "document.activeElement.outerHTML.slice(0, 200)"
        )
        return found


@pytest.fixture
def keyboard(page: Page) -> Keyboard:
    """Ann's, with nothing open yet."""
    return Keyboard(page)


def _opened(page: Page, path: str) -> Keyboard:
    page.goto(path)
    events_are_heard(page)
    return Keyboard(page)


def _message(page: Page, content: str) -> Locator:
    return page.locator("main .message", has_text=content)


@pytest.mark.parametrize("name", [*SIGNED_OUT_PAGES, *PAGES, *ADMINISTRATION_PAGES])
def test_tab_stops_only_where_it_is_seen(
    browse: Browse,
    browser_errors: BrowserErrors,
    maya: SignedInUser,
    root: SignedInUser,
    paths: Mapping[str, str],
    name: str,
) -> None:
    if name in ERRORS:
        browser_errors.allow(ERRORS[name])
    reader = root if name in ADMINISTRATION_PAGES else maya
    page = browse(None if name in SIGNED_OUT_PAGES else reader)
    page.goto(paths[name])
    keyboard = Keyboard(page)
    for _ in range(_MOST_STOPS):
        keyboard.press("Tab")
        # After the last stop the browser's own controls follow.
        if page.evaluate("document.activeElement === document.body"):
            break
        keyboard.assert_seen()


@pytest.mark.parametrize("size", [PHONE, (1280, 900), (1920, 1080)])
def test_the_first_stops_lead_past_the_navigation(
    browse: Browse, ann: SignedInUser, conversation_id: int, size: tuple[int, int]
) -> None:
    ann.say(conversation_id, "Supper at seven.")
    page = browse(ann, size=size)
    keyboard = _opened(page, f"/conversations/{conversation_id}")
    keyboard.use("link", "Skip to content")
    expect(page.locator("main")).to_be_focused()
    keyboard.press("Tab")
    assert page.evaluate(
        "document.querySelector('main').contains(document.activeElement)"
    )
    page.goto(f"/conversations/{conversation_id}")
    keyboard.use("link", "Skip to what you write")
    keyboard.assert_at(page.get_by_label("Your message"))


def test_an_account_is_opened_left_and_entered_again(
    browse: Browse, browser_errors: BrowserErrors
) -> None:
    # A first password that is refused; and the page asks who it is for, as it is left.
    browser_errors.allow(401, 422)
    page = browse()
    keyboard, username = Keyboard(page), f"dora-{secrets.token_hex(4)}"
    page.goto("/sign-in")
    keyboard.assert_at(page.get_by_label("Username"))
    keyboard.use("link", "Open an account")
    keyboard.assert_at_heading("Open an account")
    keyboard.fill("Username", username)
    keyboard.fill("Password", "password")
    keyboard.press("Enter")
    # It begins at what is to be put right.
    keyboard.assert_at(page.get_by_label("Password"))
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect(page.get_by_text("No conversations yet.")).to_be_visible()
    keyboard.use("button", "Sign out")
    keyboard.assert_at(page.get_by_label("Username"))
    keyboard.type(username)
    keyboard.fill("Password", PASSWORD)
    keyboard.press("Enter")
    expect(page.get_by_text("No conversations yet.")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "field", "text"),
    [
        # An error of the whole form, and errors of a field.
        ("/conversations/new", "Username", "nobody-at-all"),
        ("/account/password", "Current password", "not this one"),
        ("/account/delete", "Password", "not this one"),
    ],
)
def test_a_refused_form_begins_at_what_is_to_be_put_right(
    browse: Browse,
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    path: str,
    field: str,
    text: str,
    *,
    scripts: bool,
) -> None:
    browser_errors.allow(401, 403, 404, 422)
    page = browse(ann, scripts=scripts)
    page.goto(path)
    keyboard = Keyboard(page)
    keyboard.fill(field, text)
    if path == "/account/password":
        keyboard.fill("New password", NEW_PASSWORD)
    keyboard.press("Enter")
    expect(page.locator("main :is([aria-invalid=true], [role=alert])")).to_be_visible()
    keyboard.assert_at(page.get_by_label(field, exact=True))


def test_a_new_page_begins_at_its_heading_and_so_does_the_one_before(
    keyboard: Keyboard,
) -> None:
    page = keyboard.page
    page.goto("/conversations")
    keyboard.use("link", "People")
    keyboard.assert_at_heading("People")
    keyboard.use("link", "Blocked")
    keyboard.assert_at_heading("Blocked people")
    page.go_back()
    keyboard.assert_at_heading("People")


def test_someone_is_found_and_written_to(keyboard: Keyboard, bob: SignedInUser) -> None:
    page = keyboard.page
    page.goto("/people")
    keyboard.press("/")
    keyboard.assert_at(page.get_by_role("searchbox", name="Find people"))
    keyboard.type(bob.username)
    keyboard.use("button", f"Write to Bob, @{bob.username}")
    keyboard.assert_at_heading("Bob")
    keyboard.press("c")
    keyboard.type("Hello.")
    keyboard.press("Enter")
    expect(_message(page, "Hello.")).to_be_visible()
    keyboard.assert_at(page.get_by_label("Your message"))


def test_a_message_is_edited_answered_and_deleted(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    for content in ("One.", "Two.", "Three."):
        ann.say(conversation_id, content)
    bob.say(conversation_id, "Four.")
    page = browse(ann)
    keyboard = _opened(page, f"/conversations/{conversation_id}")
    keyboard.press("k", "k", "k")
    keyboard.assert_at(_message(page, "Two."))
    keyboard.choose("Edit")
    keyboard.assert_at(page.locator(".in-place textarea"))
    # One goes on where the text ends.
    keyboard.type(" And more.")
    keyboard.press("Enter")
    keyboard.assert_at(_message(page, "Two. And more."))
    keyboard.choose("Edit")
    keyboard.assert_at(page.locator(".in-place textarea"))
    keyboard.press("Escape")
    keyboard.assert_at(_message(page, "Two. And more."))
    keyboard.press("r")
    keyboard.assert_at(page.get_by_label("Your reply"))
    keyboard.press("Escape")
    keyboard.assert_at(page.get_by_label("Your message"))
    keyboard.press("Shift+Tab", "k", "k")
    keyboard.assert_at(_message(page, "Two. And more."))
    keyboard.choose("Delete")
    keyboard.assert_at(page.get_by_role("button", name="Delete"))
    keyboard.press("Enter")
    expect(_message(page, "Two.")).to_have_count(0)
    keyboard.assert_at(_message(page, "Three."))
    keyboard.press("j")
    keyboard.assert_at(_message(page, "Four."))
    keyboard.choose("Mark unread")
    expect(page.get_by_text("It is back in your inbox.")).to_be_visible()
    more = _message(page, "Four.").get_by_label("More about this message")
    keyboard.assert_at(more)


def test_after_the_last_message_is_deleted_the_one_before_has_the_focus(
    browse: Browse, ann: SignedInUser, conversation_id: int
) -> None:
    for content in ("One.", "Two."):
        ann.say(conversation_id, content)
    page = browse(ann)
    keyboard = _opened(page, f"/conversations/{conversation_id}")
    keyboard.press("k")
    keyboard.choose("Delete")
    keyboard.assert_at(page.get_by_role("button", name="Delete"))
    keyboard.press("Enter")
    keyboard.assert_at(_message(page, "One."))


@pytest.mark.parametrize("closes", ["Escape", "its button"])
def test_a_thread_beside_the_conversation_takes_the_focus_and_gives_it_back(
    browse: Browse, ann: SignedInUser, conversation_id: int, closes: str
) -> None:
    root = ann.say(conversation_id, "Supper at seven?")
    ann.say(conversation_id, "Gladly.", reply_to=root)
    page = browse(ann)
    keyboard = _opened(page, f"/conversations/{conversation_id}")
    keyboard.press("k", "k")
    replies = _message(page, "Supper").first.get_by_role("link", name="1 reply")
    keyboard.go_to(replies)
    keyboard.press("Enter")
    side = page.locator("#side")
    keyboard.assert_at(side.get_by_role("heading", name="Thread"))
    if closes == "Escape":
        keyboard.press("Escape")
    else:
        keyboard.use("button", "Close the side panel", by="Shift+Tab")
    expect(side).to_be_hidden()
    keyboard.assert_at(replies)


def test_a_panel_opened_from_a_menu_gives_the_focus_back_to_it(
    browse: Browse, ann: SignedInUser, conversation_id: int
) -> None:
    ann.say(conversation_id, "Supper at seven?")
    page = browse(ann)
    keyboard = _opened(page, f"/conversations/{conversation_id}")
    keyboard.press("k")
    keyboard.choose("Thread")
    keyboard.assert_at(page.locator("#side").get_by_role("heading", name="Thread"))
    keyboard.press("Escape")
    more = _message(page, "Supper").get_by_label("More about this message")
    keyboard.assert_at(more)


def test_a_group_is_gathered_changed_and_left(
    browse: Browse, browser_errors: BrowserErrors, new_person: NewPerson
) -> None:
    # A name that nobody has; and parts of the group that are asked for as it is left.
    browser_errors.allow(404)
    ann, one, two = new_person("Ann"), new_person("Wenda"), new_person("Wendel")
    page = browse(ann)
    keyboard = _opened(page, "/conversations/new")
    keyboard.fill("Title", "Walks")
    keyboard.go_to(page.get_by_label("Usernames"))
    keyboard.type(one.username[:12])
    expect(page.get_by_role("option")).to_have_count(1)
    keyboard.press("Enter")
    expect(page.get_by_label("Usernames")).to_have_value(f"{one.username}, ")
    keyboard.press("Enter")
    keyboard.assert_at_heading("Walks")
    keyboard.use("link", "About")
    side = page.locator("#side")
    keyboard.assert_at(side.get_by_role("heading", name="About this group"))
    keyboard.use("button", "Mute")
    keyboard.assert_at(side.get_by_role("button", name="Unmute"))
    add = side.get_by_label("Add someone")
    keyboard.go_to(add)
    for name in (f"nobody-{secrets.token_hex(4)}", two.username):
        keyboard.press("Control+a")
        keyboard.type(name)
        keyboard.press("Enter")
        # Who sends cannot type until it is answered.
        expect(side.locator("form[aria-busy]")).to_have_count(0)
        # For the next one, or for another try.
        keyboard.assert_at(add)
        expect(add).to_have_value("" if name == two.username else name)
    expect(side.get_by_role("heading", name="3 people")).to_be_visible()
    change = side.locator(".person", has_text=one.username).locator("summary")
    keyboard.go_to(change)
    keyboard.press("Enter")
    keyboard.use("button", "an owner, too")
    expect(page.get_by_text("owns the group, too.")).to_be_visible()
    keyboard.assert_at(change)
    other = side.locator(".person", has_text=two.username)
    keyboard.go_to(other.locator("summary"))
    keyboard.press("Enter")
    keyboard.go_to(other.get_by_role("button", name="Remove"))
    keyboard.press("Enter")
    expect(other).to_have_count(0)
    keyboard.assert_seen()
    leave = side.locator("summary", has_text="Leave")
    keyboard.go_to(leave, by="Shift+Tab")
    keyboard.press("Enter")
    keyboard.use("button", "Leave the group")
    keyboard.assert_at_heading("Conversations")


def test_what_waits_is_gone_through(
    browse: Browse, ann: SignedInUser, bob: SignedInUser
) -> None:
    for title in ("Walks", "Books"):
        bob.say(bob.group(title, ann), f"About {title}.")
    page = browse(ann)
    keyboard = _opened(page, "/catch-up")
    walks, books = (
        page.locator(".waiting-card", has_text=f"About {title}")
        for title in ("Walks", "Books")
    )
    keyboard.go_to(walks.get_by_role("link", name="Skip"))
    keyboard.press("Enter")
    keyboard.assert_at(books)
    keyboard.go_to(books.locator("summary", has_text="Reply"))
    keyboard.press("Enter")
    keyboard.assert_at(books.get_by_label("Your reply"))
    keyboard.type("Yes.")
    keyboard.press("Control+Enter")
    expect(books.get_by_text("Sent: Yes.")).to_be_visible()
    keyboard.assert_at(books)
    keyboard.go_to(books.get_by_role("button", name="Done"))
    keyboard.press("Enter")
    expect(books).to_have_count(0)
    keyboard.assert_at(walks)
    keyboard.use("button", "Undo", by="Shift+Tab")
    keyboard.assert_at_heading("Catch up")


def test_an_invitation_is_made_and_revoked(
    browse: Browse, ann: SignedInUser, bob: SignedInUser
) -> None:
    group = ann.group("Walks", bob)
    page = browse(ann)
    keyboard = _opened(page, f"/conversations/{group}/invitations")
    keyboard.use("button", "Make the link")
    keyboard.assert_at(page.get_by_role("heading", name="Your new link"))
    keyboard.press("Tab")
    keyboard.assert_at(page.locator("#link"))
    keyboard.go_to(page.locator("summary", has_text="Revoke"))
    keyboard.press("Enter")
    keyboard.use("button", "Revoke")
    expect(page.get_by_text("There are no links.")).to_be_visible()
    keyboard.assert_seen()


def test_the_list_is_searched_and_the_dialogs_give_the_focus_back(
    browse: Browse, ann: SignedInUser, bob: SignedInUser
) -> None:
    ann.group("Walks", bob)
    page = browse(ann)
    keyboard = _opened(page, "/conversations")
    search = page.get_by_role("searchbox", name="Find a conversation")
    keyboard.press("/")
    keyboard.assert_at(search)
    keyboard.type("zeppelin")
    keyboard.use("link", "Show all")
    keyboard.assert_at(search)
    expect(page.get_by_role("link", name="Walks")).to_be_visible()
    keyboard.press("Control+k")
    keyboard.assert_at(page.get_by_role("combobox"))
    keyboard.press("Escape")
    keyboard.assert_at(search)
    keyboard.go_to(page.get_by_role("link", name="Walks"))
    keyboard.press("?")
    keyboard.assert_seen()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keyboard.press("Escape")
    keyboard.assert_at(page.get_by_role("link", name="Walks"))


def test_someone_is_blocked_and_let_in_again(
    keyboard: Keyboard, bob: SignedInUser
) -> None:
    page = keyboard.page
    page.goto(f"/people/@{bob.username}")
    row = page.locator(".person")
    keyboard.go_to(row.locator("summary"))
    keyboard.press("Enter", "Tab", "Enter")
    unblock = row.get_by_role("button", name="Unblock")
    expect(unblock).to_be_visible()
    keyboard.assert_at(row.get_by_role("link", name="Bob"))
    keyboard.go_to(unblock)
    keyboard.press("Enter")
    expect(row.locator("summary")).to_be_visible()
    keyboard.assert_at(row.get_by_role("link", name="Bob"))


def test_settings_are_changed_and_a_token_is_made_and_revoked(
    keyboard: Keyboard,
) -> None:
    page = keyboard.page
    page.goto("/settings")
    keyboard.go_to(page.locator("#id_send_key"))
    keyboard.press("ArrowDown")
    keyboard.use("button", "Save")
    keyboard.assert_at_heading("Settings")
    expect(page.locator("#id_send_key")).to_have_value("shift_enter")
    keyboard.use("link", "Access tokens")
    keyboard.assert_at_heading("Access tokens")
    keyboard.go_to(page.locator("#id_name"))
    keyboard.type("Reader")
    keyboard.fill("Password", PASSWORD)
    keyboard.press("Enter")
    keyboard.assert_at(page.get_by_role("heading", name="Your new token"))
    row = page.locator(".setting", has_text="Reader")
    keyboard.go_to(row.locator("summary"))
    keyboard.press("Enter", "Tab", "Enter")
    expect(page.get_by_text("You have no access tokens.")).to_be_visible()
    keyboard.assert_seen()


def test_someone_is_suspended_and_let_in_again(
    browse: Browse, root: SignedInUser, bob: SignedInUser
) -> None:
    page = browse(root)
    keyboard = _opened(page, "/administration/people")
    keyboard.go_to(page.get_by_role("searchbox", name="Find people"))
    keyboard.type(bob.username)
    keyboard.use("link", f"@{bob.username}")
    keyboard.assert_at_heading("Bob")
    keyboard.go_to(page.locator("summary", has_text="Suspend"))
    keyboard.press("Enter", "Tab", "Enter")
    expect(in_main(page, "Bob is suspended.")).to_be_visible()
    keyboard.assert_at_heading("Bob")
    keyboard.use("button", "Let in")
    expect(in_main(page, "Bob may sign in again.")).to_be_visible()
    keyboard.assert_at_heading("Bob")


def test_an_account_is_deleted(browse: Browse, new_person: NewPerson) -> None:
    page = browse(new_person("Gone"))
    page.goto("/settings")
    keyboard = Keyboard(page)
    keyboard.use("link", "Delete your account")
    keyboard.assert_at_heading("Delete your account")
    keyboard.fill("Password", PASSWORD)
    keyboard.press("Enter")
    expect(page.get_by_text("Your account is deleted")).to_be_visible()
