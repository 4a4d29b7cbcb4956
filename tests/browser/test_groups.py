"""A group from its first day to its last."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Browse, NewPerson
from tests.browser.test_accounts import nothing_reloads
from tests.browser.watching import Watch


def test_a_group_is_gathered_named_and_handed_over(
    browse: Browse, new_person: NewPerson, *, scripts: bool
) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    page = browse(ann, scripts=scripts)
    page.goto("/conversations/new")
    page.get_by_label("Title").fill("Walks")
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


def test_someone_is_put_out_and_someone_leaves(
    browse: Browse, new_person: NewPerson, *, scripts: bool
) -> None:
    ann, bob = new_person("Ann"), new_person("Bob")
    talk = ann.group("Walks", bob)
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{talk}/details")
    page.locator(".person", has_text=bob.username).locator("summary").click()
    page.get_by_role("button", name="Remove from the group").click()
    expect(page.get_by_text("takes no part any more.")).to_be_visible()
    assert bob.get("/conversations").json()["items"] == []
    expect(page.get_by_text("You are the last")).to_be_visible()
    page.locator("summary", has_text="Leave").click()
    page.get_by_role("button", name="Leave the group").click()
    expect(page.get_by_text("You left Walks.")).to_be_visible()
    expect(page.get_by_text("No conversations yet.")).to_be_visible()


def test_what_is_refused_is_told_where_it_was_asked(
    browse: Browse, watch: Watch, new_person: NewPerson, *, scripts: bool
) -> None:
    watch.forgive(404, 422)
    ann, bob = new_person("Ann"), new_person("Bob")
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{ann.group('Walks', bob)}/details")
    page.get_by_label("Add someone").fill("nobody-of-this-name")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("There is no such person.")).to_be_visible()
    expect(page.get_by_label("Add someone")).to_have_value("nobody-of-this-name")
    page.get_by_role("textbox", name="Title").fill("x" * 201)
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("A title has 1 to 200 characters")).to_be_visible()


@pytest.mark.parametrize(
    ("does", "undoes", "told"),
    [("Mute", "Unmute", "Muted"), ("Hide", "Bring back", "Hidden")],
)
def test_a_conversation_is_muted_and_hidden(
    browse: Browse,
    new_person: NewPerson,
    does: str,
    undoes: str,
    told: str,
    *,
    scripts: bool,
) -> None:
    ann, bob = new_person("Ann"), new_person("Bob")
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{ann.talk_with(bob)}/details")
    page.get_by_role("button", name=does, exact=True).click()
    expect(page.locator(".flash")).to_contain_text(told)
    page.get_by_role("button", name=undoes).click()
    expect(page.get_by_role("button", name=does, exact=True)).to_be_visible()


def test_a_group_changes_without_loading_its_page_anew(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob = new_person("Ann"), new_person("Bob")
    page = browse(ann)
    page.goto(f"/conversations/{ann.group('Walks', bob)}/details")
    with nothing_reloads(page):
        page.get_by_role("button", name="Mute").click()
        expect(page.get_by_role("button", name="Unmute")).to_be_visible()
        page.get_by_role("link", name="Conversation", exact=True).click()
        expect(page.get_by_label("Your message")).to_be_visible()
