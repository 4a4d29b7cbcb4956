"""Titles, details and focus of a page follow live events."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse, NewPerson
from tests.browser.held_requests import events_are_heard, hold_requests
from tests.browser.pages import message, nothing_reloads
from tests.browser.signed_in_users import SignedInUser, remove_participant


def said(page: Page) -> Locator:
    return page.locator("#announcer")


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    events_are_heard(page)
    return page


def test_the_head_of_a_group_is_renewed(browse: Browse, new_person: NewPerson) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    conversation_id = ann.group("Walks", bob, cleo)
    page = opened(browse(bob), f"/conversations/{conversation_id}")
    page.locator("#content").fill("half a sentence")
    ann.patch(f"/conversations/{conversation_id}", {"title": "Long walks"})
    expect(page.get_by_role("heading", name="Long walks")).to_be_visible()
    expect(page).to_have_title("Long walks · Parley")
    ann.delete(f"/conversations/{conversation_id}/participants/{cleo.username}")
    expect(page.locator(".talk-head")).to_contain_text("2 people")
    expect(page.locator("#content")).to_have_value("half a sentence")


def test_the_head_of_two_is_renewed_when_one_is_renamed(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    page = opened(browse(bob), f"/conversations/{conversation_id}")
    ann.patch("/me", {"display_name": "Annette"})
    expect(page.get_by_role("heading", name="Annette")).to_be_visible()
    expect(page).to_have_title("Annette · Parley")


def test_the_title_keeps_the_count_in_front_of_it(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    conversation_id = ann.group("Walks", bob)
    page = opened(browse(bob), f"/conversations/{conversation_id}/details")
    cleo.say(cleo.start_direct(bob), "Hello.")
    expect(page).to_have_title("(1) Walks · Parley")
    ann.patch(f"/conversations/{conversation_id}", {"title": "Long walks"})
    expect(page).to_have_title("(1) Long walks · Parley")


def test_a_message_does_not_ask_for_the_head_again(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    page = opened(browse(bob), f"/conversations/{conversation_id}")
    with hold_requests(
        page, f"**/conversations/{conversation_id}", method="GET"
    ) as renewals:
        ann.say(conversation_id, "Hello.")
        expect(message(page, "Hello.")).to_be_visible()
        ann.patch("/me", {"display_name": "Annette"})
        renewals.take().continue_()
        expect(page.get_by_role("heading", name="Annette")).to_be_visible()
        assert len(renewals.routes) == 1


def test_the_details_are_renewed_as_a_whole(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    conversation_id = ann.group("Walks", bob)
    page = opened(browse(bob), f"/conversations/{conversation_id}/details")
    expect(page.get_by_role("heading", name="2 people")).to_be_visible()
    ann.put(f"/conversations/{conversation_id}/participants/{cleo.username}")
    expect(page.get_by_role("heading", name="3 people")).to_be_visible()
    ann.patch(f"/conversations/{conversation_id}", {"title": "Long walks"})
    details = page.locator("#details")
    expect(details.get_by_text("Long walks", exact=True)).to_be_visible()
    expect(page).to_have_title("Long walks · Parley")
    ann.put(
        f"/conversations/{conversation_id}/participants/{bob.username}",
        {"role": "owner"},
    )
    expect(page.get_by_role("button", name="Rename")).to_be_visible()
    expect(page.get_by_label("Add someone")).to_be_visible()


def test_what_comes_in_while_the_list_is_fetched_is_in_it(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    with hold_requests(page, "**/conversations", method="GET") as lists:
        page.goto("/settings")
        events_are_heard(page)
        first = lists.take()
        earlier = first.fetch()
        bob.say(conversation_id, "News.")
        expect(page).to_have_title(re.compile(r"^\(1\)"))
        first.fulfill(response=earlier)
        lists.take(2).continue_()
        expect(page.locator(".pane .row")).to_contain_text("News.")


def test_a_search_in_the_list_that_finds_nothing_is_left_beside_the_page(
    ann: SignedInUser, conversation_id: int, page: Page
) -> None:
    assert conversation_id
    page.goto("/settings")
    page.get_by_label("Find a conversation").fill("zeppelin")
    with nothing_reloads(page):
        page.get_by_role("link", name="Show all").click()
        expect(page.locator(".pane .row")).to_contain_text("Bob")
    expect(page.get_by_label("Find a conversation")).to_have_value("")
    expect(page).to_have_url(re.compile("/settings$"))


def test_people_are_found_in_the_panel_while_typing(
    browse: Browse, ann: SignedInUser, bob: SignedInUser
) -> None:
    page = browse(ann, size=(1920, 1080))
    page.goto(f"/conversations/{ann.group('Walks', bob)}")
    people = page.locator("#side .person")
    expect(people).to_have_count(2)
    page.get_by_label("Find people here").press_sequentially(bob.username)
    expect(people).to_have_count(1)
    expect(people).to_contain_text(bob.username)


def test_a_reply_that_was_begun_beside_the_list_is_there_again(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "Shall we play?")
    page.goto("/conversations")
    page.locator(".start summary", has_text="Reply").click()
    page.get_by_label("Your reply").fill("Half a thought")
    page.reload()
    page.locator(".start summary", has_text="Reply").click()
    expect(page.get_by_label("Your reply")).to_have_value("Half a thought")


def test_what_was_fetched_before_a_conversation_ended_shows_nothing_of_it(
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    bob: SignedInUser,
    page: Page,
) -> None:
    browser_errors.allow(404)
    walks, games = bob.group("Walks", ann), bob.group("Games", ann)
    page.goto(f"/conversations/{walks}")
    events_are_heard(page)
    expect(page.locator(".pane .row")).to_have_count(2)
    with hold_requests(page, "**/conversations", method="GET") as lists:
        bob.say(games, "Who plays?")
        first = lists.take()
        earlier = first.fetch()
        remove_participant(bob, walks, ann)
        expect(page.locator(".pane .row")).to_have_count(1)
        first.fulfill(response=earlier)
        # It was thrown away: this is another one.
        again = lists.take(2)
        expect(page.locator(".pane .row")).to_have_count(1)
        again.continue_()
        expect(page.locator(".pane .row")).to_contain_text("Who plays?")


def test_the_focus_goes_to_the_next_message_when_its_own_is_deleted(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    first, second, third, fourth = (
        ann.say(conversation_id, f"Number {n}.") for n in range(4)
    )
    page = opened(browse(bob), f"/conversations/{conversation_id}")
    page.focus(f"#m{second}")
    ann.delete(f"/messages/{second}")
    expect(page.locator(f"#m{third}")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(f"#m{first}")).to_be_focused()
    page.focus(f"#m{fourth} .act")
    ann.delete(f"/messages/{fourth}")
    expect(page.locator(f"#m{third}")).to_be_focused()


def test_the_only_message_leaves_its_focus_on_the_page(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    only = ann.say(conversation_id, "Only.")
    page = opened(browse(bob), f"/conversations/{conversation_id}")
    page.focus(f"#m{only}")
    ann.delete(f"/messages/{only}")
    expect(page.locator(f"#m{only}")).to_have_count(0)
    expect(page.locator("main :focus")).to_have_count(1)


def test_a_reply_in_an_open_thread_is_announced(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    root = ann.say(conversation_id, "Shall we play?")
    page = opened(browse(ann), f"/messages/{root}/thread")
    answer = bob.say(conversation_id, "I have white.", reply_to=root)
    expect(said(page)).to_have_text(re.compile(r"^\s*Bob: I have white\.\s*$"))
    ann.say(conversation_id, "My own words.", reply_to=answer)
    expect(message(page, "My own words.")).to_be_visible()
    expect(said(page)).not_to_contain_text("My own words.")
