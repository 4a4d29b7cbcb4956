"""What was typed is kept for the whole form, for whoever typed it, until it is sent."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import PHONE, Browse, NewPerson
from tests.browser.held_requests import events_are_heard
from tests.browser.pages import message, nothing_reloads, open_menu
from tests.browser.signed_in_users import SignedInUser
from tests.live_server import PASSWORD


def edit_of(page: Page) -> Locator:
    return page.locator(".in-place textarea")


def kept(page: Page) -> str:
    text: str = page.evaluate("JSON.stringify(localStorage)")
    return text


def test_an_edit_left_by_escape_is_taken_up_again(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    sent = ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "Supper at six.", "Edit")
    edit_of(page).fill("Supper at seven, or")
    edit_of(page).press("Escape")
    expect(message(page, "Supper at six.")).to_contain_text("Not saved yet.")
    page.reload()
    page.get_by_role("link", name="Go on with your edit").click()
    expect(edit_of(page)).to_have_value("Supper at seven, or")
    edit_of(page).fill("Supper at seven, or eight.")
    page.get_by_role("button", name="Save").click()
    expect(message(page, "or eight.")).to_contain_text("Edited")
    expect(page.get_by_text("Not saved yet.")).to_have_count(0)
    assert "Supper" not in kept(page)
    assert (
        bob.get(f"/messages/{sent}").json()["content"] == "Supper at seven, or eight."
    )


@pytest.mark.parametrize("leave", ["/settings", "reload", "sign-in"])
def test_an_edit_outlives_its_page(
    leave: str,
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    conversation_id: int,
    page: Page,
) -> None:
    # The page may notice the end of its session by itself, before anything is pressed.
    browser_errors.allow(401)
    ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "Supper at six.", "Edit")
    edit_of(page).fill("Supper at seven.")
    if leave == "/settings":
        page.get_by_role("link", name="Settings").click()
        page.locator(".pane").get_by_role("link", name="Bob").click()
    elif leave == "reload":
        page.reload()
    else:
        page.context.clear_cookies(name="sessionid")
        page.evaluate("document.querySelector('.in-place .primary')?.click()")
        page.get_by_label("Username").fill(ann.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        # Back in the conversation that was open.
        expect(page.get_by_label("Your message")).to_be_visible()
    open_menu(page, "Supper at six.", "Edit")
    expect(edit_of(page)).to_have_value("Supper at seven.")


def test_cancelling_an_edit_discards_it(
    ann: SignedInUser, conversation_id: int, page: Page
) -> None:
    ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "Supper at six.", "Edit")
    edit_of(page).fill("Supper at seven.")
    page.get_by_role("link", name="Cancel").click()
    expect(message(page, "Supper at six.")).not_to_contain_text("Not saved yet.")
    open_menu(page, "Supper at six.", "Edit")
    expect(edit_of(page)).to_have_value("Supper at six.")


def test_an_edit_of_an_older_version_overwrites_no_newer_one_unasked(
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    page: Page,
) -> None:
    browser_errors.allow(412)
    sent = ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "Supper at six.", "Edit")
    edit_of(page).fill("Supper at seven.")
    edit_of(page).press("Escape")
    expect(page.get_by_text("Not saved yet.")).to_be_visible()
    ann.patch(f"/messages/{sent}", {"content": "Supper at nine."})
    page.reload()
    open_menu(page, "Supper at nine.", "Edit")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(edit_of(page)).to_have_value("Supper at seven.")
    assert bob.get(f"/messages/{sent}").json()["content"] == "Supper at nine."
    page.get_by_role("button", name="Save").click()
    expect(message(page, "Supper at seven.")).to_contain_text("Edited")


def test_an_edit_ends_with_its_message(
    ann: SignedInUser, conversation_id: int, page: Page
) -> None:
    sent = ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    open_menu(page, "Supper at six.", "Edit")
    edit_of(page).fill("A secret.")
    edit_of(page).press("Escape")
    expect(page.get_by_text("Not saved yet.")).to_be_visible()
    assert "A secret." in kept(page)
    ann.client.delete(
        f"/api/v1/messages/{sent}",
        headers={"X-CSRFToken": ann.client.cookies["csrftoken"]},
    ).raise_for_status()
    expect(message(page, "Supper at six.")).to_have_count(0)
    assert "A secret." not in kept(page)


@pytest.mark.parametrize("size", [(1280, 900), PHONE])
def test_the_draft_of_a_reply_comes_back_as_a_reply(
    browse: Browse,
    size: tuple[int, int],
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
) -> None:
    asked = bob.say(conversation_id, "Shall we play?")
    page = browse(ann, size=size)
    page.goto(f"/conversations/{conversation_id}")
    if size == PHONE:
        open_menu(page, "Shall we play?", "Reply")
    else:
        message(page, "Shall we play?").hover()
        message(page, "Shall we play?").get_by_role("link", name="Reply").click()
    page.get_by_label("Your reply").press_sequentially("You beg")
    page.goto("/settings")
    page.goto(f"/conversations/{conversation_id}")
    expect(page.locator(".answering")).to_contain_text("Shall we play?")
    expect(page).to_have_url(re.compile(rf"/conversations/{conversation_id}$"))
    reply = page.get_by_label("Your reply")
    expect(reply).to_have_value("You beg")
    reply.press("End")
    reply.press_sequentially("in.")
    reply.press("Control+Enter")
    expect(message(page, "You begin.")).to_have_count(1)
    newest = bob.get(f"/conversations/{conversation_id}/messages").json()["items"][0]
    assert (newest["content"], newest["parent_message_id"]) == ("You begin.", asked)
    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("")


def test_what_was_typed_goes_along_into_a_reply(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "Shall we play?")
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_label("Your message").press_sequentially("You begin.")
    message(page, "Shall we play?").hover()
    message(page, "Shall we play?").get_by_role("link", name="Reply").click()
    expect(page.get_by_label("Your reply")).to_have_value("You begin.")
    expect(page.get_by_label("Your reply")).to_be_focused()
    page.reload()
    expect(page.get_by_label("Your reply")).to_have_value("You begin.")


def test_a_reply_from_a_thread_leaves_the_draft_of_the_conversation(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    asked = bob.say(conversation_id, "Shall we play?")
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_label("Your message").press_sequentially("To everybody")
    page.goto(f"/messages/{asked}/thread")
    reply = page.get_by_label("Your reply")
    expect(reply).to_have_value("")
    reply.press_sequentially("hm")
    reply.press("Control+Enter")
    expect(message(page, "hm")).to_have_count(1)
    page.goto(f"/conversations/{conversation_id}")
    expect(page.get_by_label("Your message")).to_have_value("To everybody")


def test_the_drafts_of_two_replies_are_kept_apart(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    chess, supper = (
        bob.say(conversation_id, "Shall we play?"),
        bob.say(conversation_id, "Supper at six?"),
    )
    page.goto(f"/conversations/{conversation_id}?reply={chess}")
    page.get_by_label("Your reply").press_sequentially("You begin.")
    page.goto(f"/conversations/{conversation_id}?reply={supper}")
    expect(page.get_by_label("Your reply")).to_have_value("")
    page.get_by_label("Your reply").press_sequentially("At seven.")
    page.get_by_label("Your reply").press("Control+Enter")
    expect(message(page, "At seven.")).to_have_count(1)
    page.goto(f"/conversations/{conversation_id}")
    expect(page.locator(".answering")).to_contain_text("Shall we play?")
    expect(page.get_by_label("Your reply")).to_have_value("You begin.")


def test_words_that_become_another_message_overwrite_no_draft_of_it(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    asked = bob.say(conversation_id, "Shall we play?")
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_label("Your message").press_sequentially("To everybody")
    page.goto(f"/conversations/{conversation_id}?reply={asked}")
    page.get_by_label("Your reply").press_sequentially("To Bob")
    page.get_by_role("link", name="Cancel the reply").click()
    both = page.get_by_label("Your message")
    expect(both).to_have_value("To everybody\nTo Bob")
    page.goto(f"/conversations/{conversation_id}")
    expect(both).to_have_value("To everybody\nTo Bob")


@pytest.mark.parametrize("by", ["link", "Escape"])
@pytest.mark.parametrize("where", ["in place", "page"])
def test_a_cancelled_reply_leaves_what_was_typed(
    by: str, where: str, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    asked = bob.say(conversation_id, "Shall we play?")
    page.goto(
        f"/conversations/{conversation_id}" + f"?reply={asked}" * (where == "page")
    )
    if where == "in place":
        message(page, "Shall we play?").hover()
        message(page, "Shall we play?").get_by_role("link", name="Reply").click()
    reply = page.get_by_label("Your reply")
    reply.press_sequentially("You begin.")
    if by == "link":
        page.get_by_role("link", name="Cancel the reply").click()
    else:
        reply.press("Escape")
    words = page.get_by_label("Your message")
    expect(words).to_have_value("You begin.")
    if by == "Escape":
        expect(words).to_be_focused()
    page.reload()
    expect(words).to_have_value("You begin.")
    expect(page.locator(".answering")).to_have_count(0)


def test_two_tabs_keep_their_drafts_apart(
    browse: Browse, ann: SignedInUser, bob: SignedInUser
) -> None:
    address = f"/conversations/{ann.start_direct(bob)}"
    one = browse(ann)
    other = one.context.new_page()
    for page in (one, other):
        page.goto(address)
    one.get_by_label("Your message").press_sequentially("In the first tab")
    other.get_by_label("Your message").press_sequentially("In the second tab")
    for page in (one, other):
        page.reload()
    expect(one.get_by_label("Your message")).to_have_value("In the first tab")
    expect(other.get_by_label("Your message")).to_have_value("In the second tab")
    other.get_by_label("Your message").press("Control+Enter")
    expect(other.get_by_label("Your message")).to_have_value("")
    one.reload()
    expect(one.get_by_label("Your message")).to_have_value("In the first tab")


def test_a_draft_taken_over_and_sent_goes_from_its_first_tab(
    browse: Browse, ann: SignedInUser, bob: SignedInUser
) -> None:
    address = f"/conversations/{ann.start_direct(bob)}"
    one = browse(ann)
    one.goto(address)
    one.get_by_label("Your message").press_sequentially("Half a thought")
    other = one.context.new_page()
    other.goto(address)
    expect(other.get_by_label("Your message")).to_have_value("Half a thought")
    other.get_by_label("Your message").press("Control+Enter")
    expect(message(other, "Half a thought")).to_have_count(1)
    expect(one.get_by_label("Your message")).to_have_value("")
    for page in (one, other):
        page.reload()
        expect(page.get_by_label("Your message")).to_have_value("")


def test_a_draft_is_given_to_nobody_else(
    browser_errors: BrowserErrors, ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    address = f"/conversations/{ann.start_direct(bob)}"
    page.goto(address)
    page.get_by_label("Your message").press_sequentially("About Bob")
    page.goto("/favicon.ico")
    page.context.clear_cookies()
    page.context.add_cookies(
        [{"name": "sessionid", "value": bob.session, "url": browser_errors.url}]
    )
    page.goto(address)
    expect(page.get_by_label("Your message")).to_have_value("")


def test_a_group_that_is_being_gathered_comes_back_whole(
    bob: SignedInUser, page: Page
) -> None:
    page.goto("/conversations/new")
    page.get_by_label("Title", exact=True).fill("Walks")
    page.get_by_label("Usernames").fill(f"@{bob.username}, ")
    page.get_by_role("link", name="Conversations").first.click()
    # The heading of the list stands beside the form as well.
    expect(page.get_by_label("Title", exact=True)).to_have_count(0)
    page.get_by_role("link", name="New", exact=True).click()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Walks")
    expect(page.get_by_label("Usernames")).to_have_value(f"@{bob.username}, ")
    expect(page.get_by_label("Username", exact=True)).to_have_value("")
    page.get_by_role("button", name="Start the group").click()
    expect(page.get_by_role("heading", name="Walks")).to_be_visible()
    page.goto("/conversations/new")
    expect(page.get_by_label("Title", exact=True)).to_have_value("")


def test_a_half_made_token_comes_back_without_its_password(
    browse: Browse, new_person: NewPerson
) -> None:
    page = browse(new_person("Ann"))
    page.goto("/settings/tokens")
    page.get_by_label("Name", exact=True).fill("backup")
    page.get_by_label("Valid for").select_option("A year")
    page.get_by_label("Password").fill(PASSWORD)
    assert PASSWORD not in kept(page)
    page.reload()
    expect(page.get_by_label("Name", exact=True)).to_have_value("backup")
    expect(page.get_by_label("Valid for")).to_have_value("365")
    expect(page.get_by_label("Password")).to_have_value("")
    with nothing_reloads(page):
        page.get_by_role("button", name="Discard").click()
        expect(page.get_by_label("Name", exact=True)).to_have_value("")
        expect(page.get_by_label("Valid for")).to_have_value("90")
    assert "backup" not in kept(page)


def test_a_name_that_was_refused_is_kept_and_one_that_was_saved_is_not(
    browse: Browse, browser_errors: BrowserErrors, new_person: NewPerson
) -> None:
    browser_errors.allow(422)
    page = browse(new_person("Ann"))
    page.goto("/settings")
    name = page.get_by_label("Your name")
    name.fill("x" * 300)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".errorlist")).to_be_visible()
    page.goto("/conversations")
    page.goto("/settings")
    expect(name).to_have_value("x" * 300)
    name.fill("Anna Lovelace")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your name is changed.")).to_be_visible()
    assert "Lovelace" not in kept(page)


def test_a_title_half_typed_comes_back(
    ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    page.goto(f"/conversations/{ann.group('Walks', bob)}/details")
    page.get_by_role("textbox", name="Title").fill("Long wa")
    page.reload()
    expect(page.get_by_role("textbox", name="Title")).to_have_value("Long wa")
    expect(page.get_by_text("Not saved yet")).to_be_visible()


def test_signing_out_leaves_nothing_behind(
    browser_errors: BrowserErrors, ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    browser_errors.allow(401)
    page.goto(f"/conversations/{ann.start_direct(bob)}")
    page.get_by_label("Your message").press_sequentially("Half a thought")
    assert "Half a thought" in json.dumps(kept(page))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "Half a thought" not in kept(page)


def test_the_list_of_conversations_shows_what_was_begun_there(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    page = browse(ann)
    group = ann.group("Walks", bob)
    page.goto(f"/conversations/{conversation_id}")
    page.locator("#content").press_sequentially("Half of <b>a</b> thought")
    page.goto("/conversations")
    row = page.locator(f"#c{conversation_id}")
    expect(row).to_contain_text("Draft: Half of <b>a</b> thought")
    expect(row.locator(".row-last")).to_be_hidden()
    expect(page.locator(f"#c{group}")).not_to_contain_text("Draft")
    # As the row changes, it stays.
    events_are_heard(page)
    bob.say(conversation_id, "Hello?")
    expect(row.locator(".badge")).to_contain_text("1")
    expect(row).to_contain_text("Draft: Half of")
    # In another tab it is sent.
    other = page.context.new_page()
    other.goto(f"/conversations/{conversation_id}")
    expect(other.locator("#content")).to_have_value("Half of <b>a</b> thought")
    other.locator("#content").press("Enter")
    expect(message(other, "thought")).to_have_count(1)
    expect(row).not_to_contain_text("Draft")
