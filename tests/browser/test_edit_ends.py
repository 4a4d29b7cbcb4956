"""An edit ends in one of three ways: saved, cancelled, or with its message."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse
from tests.browser.held_requests import events_are_heard, hold_requests
from tests.browser.pages import message, open_menu
from tests.browser.signed_in_users import SignedInUser


@pytest.mark.parametrize("way", ["Escape", "Cancel"])
def test_an_edit_that_is_being_saved_cannot_be_left(
    way: str, ann: SignedInUser, conversation_id: int, page: Page
) -> None:
    ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "Supper at six.", "Edit")
    page.locator(".in-place textarea").fill("Supper at seven.")
    with hold_requests(page, "**/edit") as saves:
        page.locator(".in-place textarea").press("Control+Enter")
        save = saves.take()
        if way == "Escape":
            page.keyboard.press("Escape")
        else:
            page.get_by_role("link", name="Cancel").click()
        expect(page.locator(".in-place textarea")).to_have_value("Supper at seven.")
        save.continue_()
        expect(message(page, "Supper at seven.")).to_be_visible()
    expect(page.locator(".in-place")).to_have_count(0)
    expect(page.get_by_text("Not saved yet")).to_have_count(0)
    page.reload()
    expect(message(page, "Supper at seven.")).to_be_visible()
    expect(page.get_by_text("Not saved yet")).to_have_count(0)


@pytest.mark.parametrize("form", ["Edit", "Delete"])
def test_a_form_in_the_place_of_a_message_is_known_as_one_at_once(
    form: str, ann: SignedInUser, conversation_id: int, page: Page
) -> None:
    """What renews messages leaves forms alone, and may come at any moment."""
    ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    page.evaluate(
        """addEventListener("htmx:afterSwap", () => {
            window.found = document.querySelector("#messages > :has(form)").className;
        })"""
    )
    open_menu(page, "Supper at six.", form)
    expect(page.locator("form.in-place")).to_be_visible()
    assert "editing" in page.evaluate("window.found").split()


def test_a_save_that_failed_can_be_left(
    browser_errors: BrowserErrors, ann: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow(503)
    ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "Supper at six.", "Edit")
    page.locator(".in-place textarea").fill("Supper at seven.")
    with hold_requests(page, "**/edit") as saves:
        page.locator(".in-place textarea").press("Control+Enter")
        saves.take().fulfill(
            status=503, body="<!doctype html><main><h1>Busy</h1></main>"
        )
        expect(page.locator("#flashes")).to_contain_text("Busy")
    page.locator(".in-place textarea").press("Escape")
    expect(page.locator(".in-place")).to_have_count(0)
    expect(page.get_by_text("Not saved yet")).to_be_visible()


def test_an_edit_whose_message_was_deleted_keeps_its_words(
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    page: Page,
) -> None:
    browser_errors.allow(404)
    first = bob.say(conversation_id, "Before it.")
    gone = ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    open_menu(page, "Supper at six.", "Edit")
    page.locator(".in-place textarea").fill("Supper\n at seven.")
    ann.delete(f"/messages/{gone}")
    page.get_by_role("button", name="Save").click()
    row = page.locator(f"#m{gone}")
    expect(row.get_by_role("alert")).to_contain_text("was deleted")
    words = row.get_by_label("What you wrote")
    expect(words).to_have_value("Supper\n at seven.")
    expect(words).not_to_be_editable()
    row.get_by_role("link", name="Close").click()
    expect(row).to_have_count(0)
    expect(page.locator(f"#m{first}")).to_be_focused()
    kept = page.evaluate(
        "() => Object.keys(localStorage).filter((k) => k.includes('edit'))"
    )
    assert kept == []


def test_a_message_with_replies_that_was_deleted_is_closed_to_its_tombstone(
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    page: Page,
) -> None:
    browser_errors.allow(409)
    gone = ann.say(conversation_id, "Supper at six.")
    bob.say(conversation_id, "I will come.", reply_to=gone)
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    page.locator(f"#m{gone}").hover()
    page.locator(f"#m{gone}").get_by_label("More about this message").click()
    page.locator(f"#m{gone}").get_by_role("link", name="Edit", exact=True).click()
    page.locator(".in-place textarea").fill("Supper at seven.")
    ann.delete(f"/messages/{gone}")
    page.get_by_role("button", name="Save").click()
    row = page.locator(f"#m{gone}")
    expect(row.get_by_role("alert")).to_contain_text("was deleted")
    expect(row.get_by_label("What you wrote")).to_have_value("Supper at seven.")
    row.get_by_role("link", name="Close").press("Enter")
    expect(row).to_contain_text("Deleted message")


def test_without_scripts_the_words_of_a_deleted_message_come_back(
    browse: Browse, browser_errors: BrowserErrors, ann: SignedInUser, bob: SignedInUser
) -> None:
    browser_errors.allow(404)
    gone = ann.say(ann.start_direct(bob), "Supper at six.")
    page = browse(ann, scripts=False)
    page.goto(f"/messages/{gone}/edit")
    page.get_by_label("Your message").fill("Supper at seven.")
    ann.delete(f"/messages/{gone}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("was deleted")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value("Supper at seven.")
