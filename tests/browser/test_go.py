"""Ctrl+K leads anywhere, and ? shows the keys."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import violations
from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse, NewPerson
from tests.browser.held_requests import hold_requests, offline
from tests.browser.signed_in_users import SignedInUser


def field_of(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Go to a person, a group or a command")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Where to go").get_by_role("option")


@pytest.mark.parametrize("keys", ["Control+k", "Meta+k"])
def test_keys_lead_to_a_conversation_from_within_a_message(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page, keys: str
) -> None:
    group = ann.group("Elm Street garden", bob)
    page.goto(f"/conversations/{conversation_id}")
    page.locator("#content").press_sequentially("Half of a")
    page.locator("#content").press(keys)
    expect(field_of(page)).to_be_focused()
    expect(options(page).first).to_contain_text("Elm Street garden")
    field_of(page).press_sequentially("street")
    expect(options(page)).to_have_count(1)
    field_of(page).press("Enter")
    page.wait_for_url(f"**/conversations/{group}")
    expect(page.get_by_role("heading", name="Elm Street garden")).to_be_visible()


def test_enter_waits_for_the_answer_to_what_was_typed(
    ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    group = ann.group("Elm Street garden", bob)
    ann.group("Another one", bob)
    page.goto("/settings")
    page.keyboard.press("Control+k")
    expect(options(page).first).to_contain_text("Another one")
    with hold_requests(page, "**/go?q=elm", method="GET") as asked:
        field_of(page).press_sequentially("elm")
        field_of(page).press("Enter")
        asked.take().continue_()
        page.wait_for_url(f"**/conversations/{group}")


def test_a_person_and_a_command_are_found(
    browser_errors: BrowserErrors, page: Page, new_person: NewPerson
) -> None:
    # The page asks who it is for, once it is signed out.
    browser_errors.allow(401)
    dora = new_person("Dora")
    page.goto("/settings")
    page.keyboard.press("Control+k")
    field_of(page).fill(dora.username)
    expect(options(page)).to_have_count(1)
    field_of(page).press("Enter")
    expect(page.get_by_role("heading", name="Dora")).to_be_visible()
    page.keyboard.press("Control+k")
    field_of(page).fill("password")
    options(page).filter(has_text="Change the password").click()
    expect(page.get_by_label("Current password")).to_be_visible()
    page.keyboard.press("Control+k")
    field_of(page).fill("sign out")
    expect(options(page)).to_have_count(1)
    field_of(page).press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_screen_reader_is_told_which_option_enter_takes(
    page: Page, conversation_id: int
) -> None:
    page.goto(f"/conversations/{conversation_id}")
    page.locator("#content").press("Control+k")
    field = field_of(page)
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    field.press("ArrowDown")
    second = options(page).nth(1).get_attribute("id")
    expect(field).to_have_attribute("aria-activedescendant", second or "")
    assert violations(page) == []
    field.fill("zeppelin")
    expect(page.get_by_text("Nothing is named like this.")).to_be_visible()
    assert violations(page) == []
    field.press("Escape")
    expect(field).to_have_count(0)
    expect(page.locator("#content")).to_be_focused()


def test_it_says_that_the_server_is_out_of_reach(
    browser_errors: BrowserErrors, page: Page, conversation_id: int
) -> None:
    browser_errors.allow_disconnection()
    page.goto(f"/conversations/{conversation_id}")
    offline(page.context, page, is_offline=True)
    page.locator("#content").press("Control+k")
    expect(page.get_by_role("dialog").get_by_text("cannot be reached")).to_be_visible()


def test_its_link_leads_there_without_scripts(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, scripts: bool
) -> None:
    group = ann.group("Elm Street garden", bob)
    page = browse(ann, scripts=scripts)
    page.goto("/settings")
    page.get_by_role("link", name="Go to").click()
    if scripts:
        field_of(page).fill("garden")
        expect(options(page)).to_have_count(1)
        options(page).click()
    else:
        page.get_by_label("Go to a person, a group or a command").fill("garden")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Elm Street garden").click()
    page.wait_for_url(f"**/conversations/{group}")


def test_a_key_and_a_link_show_the_keys(
    browse: Browse, ann: SignedInUser, scripts: bool
) -> None:
    page = browse(ann, scripts=scripts)
    page.goto("/conversations")
    page.get_by_role("link", name="Keys").click()
    expect(page.get_by_text("Go to a person, a group or a command")).to_be_visible()
    if not scripts:
        return
    dialog = page.get_by_role("dialog", name="Keys")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.locator("#main").press("?")
    expect(dialog).to_be_visible()
    # The keys of the page behind it rest.
    page.keyboard.press("/")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


def test_the_keys_are_read_from_their_beginning(
    browse: Browse, ann: SignedInUser
) -> None:
    # A laptop's screen with large text: not all of them fit.
    page = browse(ann, size=(1280, 480))
    page.goto("/conversations")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    expect(dialog.get_by_role("heading", name="Everywhere")).to_be_in_viewport(ratio=1)
