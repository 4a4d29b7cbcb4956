"""Groups: starting, adding, removing, handing over and leaving."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse, NewPerson
from tests.browser.held_requests import events_are_heard
from tests.browser.pages import in_main, nothing_reloads
from tests.browser.signed_in_users import SignedInUser


def test_a_group_is_gathered_named_and_handed_over(
    browse: Browse, new_person: NewPerson, *, scripts: bool
) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    page = browse(ann, scripts=scripts)
    page.goto("/conversations/new")
    page.get_by_label("Title", exact=True).fill("Walks")
    page.get_by_label("Usernames").fill(f"@{bob.username}")
    page.get_by_role("button", name="Start the group").click()
    page.get_by_role("link", name="About").click()
    expect(page.get_by_role("heading", name="2 people")).to_be_visible()
    page.get_by_role("textbox", name="Title").fill("Long walks")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("The group has a new title.")).to_be_visible()
    page.get_by_label("Add someone").fill(cleo.username)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("takes part now.")).to_be_visible()
    expect(page.get_by_role("heading", name="3 people")).to_be_visible()
    page.locator(".person", has_text=bob.username).locator("summary").click()
    page.get_by_role("button", name="Hand the group over to Bob").click()
    expect(page.get_by_text("owns the group now.")).to_be_visible()
    expect(page.get_by_role("button", name="Rename")).to_have_count(0)
    [group] = bob.get("/conversations").json()["items"]
    assert (group["title"], group["role"]) == ("Long walks", "owner")


def test_people_are_picked_by_any_part_of_their_names(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, one, two = new_person("Ann"), new_person("Quillan"), new_person("Quillon")
    page = browse(ann)
    page.goto("/conversations/new")
    page.get_by_label("Title", exact=True).fill("Walks")
    field, options = page.get_by_label("Usernames"), page.get_by_role("option")
    field.press_sequentially("quil")
    expect(options).to_have_count(2)
    options.filter(has_text="Quillan").click()
    field.press_sequentially("quillo")
    expect(options).to_have_count(1)
    field.press("Enter")
    expect(options).to_have_count(0)
    expect(field).to_have_value(f"{one.username}, {two.username}, ")
    field.press("Enter")
    page.get_by_role("link", name="About").click()
    expect(page.get_by_role("heading", name="3 people")).to_be_visible()
    page.goto("/conversations/new")
    page.get_by_label("Username", exact=True).press_sequentially("quillon")
    options.click()
    page.get_by_role("button", name="Write to them").click()
    expect(page.get_by_role("heading", name="Quillon")).to_be_visible()


def test_owners_are_made_and_one_steps_down(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, *, scripts: bool
) -> None:
    conversation_id = ann.group("Walks", bob)
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{conversation_id}/details")
    theirs = page.locator(".person", has_text=bob.username)
    theirs.locator("summary").click()
    page.get_by_role("button", name="an owner, too").click()
    expect(page.get_by_text("owns the group, too.")).to_be_visible()
    expect(theirs).to_contain_text("owner")
    page.locator(".person", has_text="you").locator("summary").click()
    page.get_by_role("button", name="Be a member again").click()
    expect(page.get_by_role("button", name="Rename")).to_have_count(0)
    [group] = bob.get("/conversations").json()["items"]
    assert group["role"] == "owner"


def test_people_of_a_group_are_found_by_a_part_of_their_names(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, *, scripts: bool
) -> None:
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{ann.group('Walks', bob)}/details")
    expect(page.locator(".person")).to_have_count(2)
    page.locator("main").get_by_role("searchbox").fill(bob.username[1:])
    page.locator("main").get_by_role("searchbox").press("Enter")
    expect(page.locator(".person")).to_have_count(1)
    expect(page.locator(".person")).to_contain_text(bob.username)


def test_a_member_is_removed_and_a_member_leaves(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, *, scripts: bool
) -> None:
    conversation_id = ann.group("Walks", bob)
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{conversation_id}/details")
    page.locator(".person", has_text=bob.username).locator("summary").click()
    page.get_by_role("button", name=re.compile("Remove .* from the group")).click()
    expect(page.get_by_text("takes no part any more.")).to_be_visible()
    assert bob.get("/conversations").json()["items"] == []
    expect(page.get_by_text("You are the last")).to_be_visible()
    page.locator("summary", has_text="Leave").click()
    page.get_by_role("button", name="Leave the group").click()
    expect(in_main(page, "You left Walks.")).to_be_visible()
    expect(page.get_by_text("No conversations yet.")).to_be_visible()


def test_a_refusal_is_shown_at_its_form(
    browse: Browse,
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    bob: SignedInUser,
    *,
    scripts: bool,
) -> None:
    browser_errors.allow(404, 422)
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{ann.group('Walks', bob)}/details")
    page.get_by_label("Add someone").fill("nobody-of-this-name")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("There is no such person.")).to_be_visible()
    expect(page.get_by_label("Add someone")).to_have_value("nobody-of-this-name")
    page.get_by_role("textbox", name="Title").fill("x" * 201)
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("A title has 1 to 200 characters")).to_be_visible()


def test_what_was_refused_stays_when_others_change_the_page(
    browser_errors: BrowserErrors, ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    browser_errors.allow(404)
    group = ann.group("Walks", bob)
    page.goto(f"/conversations/{group}/details")
    events_are_heard(page)
    page.get_by_label("Add someone").fill("nobody-of-this-name")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("There is no such person.")).to_be_visible()
    ann.patch(f"/conversations/{group}", {"title": "Long walks"})
    expect(page.get_by_role("textbox", name="Title")).to_have_value("Long walks")
    expect(page.get_by_label("Add someone")).to_have_value("nobody-of-this-name")


@pytest.mark.parametrize(
    ("does", "undoes", "text"),
    [("Mute", "Unmute", "Muted"), ("Hide", "Bring back", "Hidden")],
)
def test_a_conversation_is_muted_and_hidden(
    browse: Browse,
    does: str,
    undoes: str,
    text: str,
    ann: SignedInUser,
    bob: SignedInUser,
    *,
    scripts: bool,
) -> None:
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{ann.start_direct(bob)}/details")
    page.get_by_role("button", name=does, exact=True).click()
    expect(page.locator(".flash")).to_contain_text(text)
    page.get_by_role("button", name=undoes).click()
    expect(page.get_by_role("button", name=does, exact=True)).to_be_visible()


def test_a_group_changes_without_loading_its_page_anew(
    ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    page.goto(f"/conversations/{ann.group('Walks', bob)}/details")
    with nothing_reloads(page):
        page.get_by_role("button", name="Mute").click()
        expect(page.get_by_role("button", name="Unmute")).to_be_visible()
        page.get_by_role("link", name="Conversation", exact=True).click()
        expect(page.get_by_label("Your message")).to_be_visible()
