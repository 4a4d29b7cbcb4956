"""Live updates of a page keep focus, selection, scroll position and typed text."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Browse, NewPerson
from tests.browser.held_requests import events_are_heard, hold_requests
from tests.browser.pages import in_main, message, open_menu, wait_until
from tests.browser.signed_in_users import SignedInUser

MANY = 24


def said(page: Page) -> Locator:
    return page.locator("#announcer")


def menu_of(page: Page, content: str) -> Locator:
    return message(page, content).locator(".actions details")


def open_more(page: Page, content: str) -> None:
    message(page, content).hover()
    message(page, content).get_by_label("More about this message").click()


def select(page: Page, content: str) -> None:
    message(page, content).locator(".body").select_text()


def selected(page: Page) -> str:
    text: str = page.evaluate("String(getSelection())")
    return text


def top_of(row: Locator) -> object:
    """Where it is on the screen; a scroll place is rounded to a whole pixel."""
    return pytest.approx(y_of(row), abs=2)


def y_of(row: Locator) -> float:
    box = row.bounding_box()
    assert box
    return box["y"]


def test_a_changed_message_keeps_focus_menu_and_selection(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    asked = bob.say(conversation_id, "Shall we play?")
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    open_more(page, "Shall we play?")
    thread = page.get_by_role("link", name="Thread")
    thread.focus()
    select(page, "Shall we play?")
    bob.say(conversation_id, "I have white.", reply_to=asked)
    expect(message(page, "Shall we play?").first).to_contain_text("1 reply")
    expect(menu_of(page, "Shall we play?").first).to_have_attribute("open", "")
    expect(thread).to_be_focused()
    assert selected(page) == "Shall we play?"


def test_a_menu_open_in_a_thread_holds_its_part_until_it_closes(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    root = bob.say(conversation_id, "Shall we play?")
    page.goto(f"/messages/{root}/thread")
    events_are_heard(page)
    # The root was on the screen, and is read; the answer is not shown yet.
    expect(page).to_have_title("Thread · Parley")
    open_more(page, "Shall we play?")
    bob.say(conversation_id, "I have white.", reply_to=root)
    expect(page).to_have_title("(1) Thread · Parley")
    expect(menu_of(page, "Shall we play?")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(message(page, "I have white.")).to_be_visible()


def test_a_folded_branch_and_a_focus_stay_in_a_thread(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    root = bob.say(conversation_id, "Root.")
    branch = bob.say(conversation_id, "Branch.", reply_to=root)
    leaf = bob.say(conversation_id, "Leaf.", reply_to=branch)
    bob.say(conversation_id, "Under the leaf.", reply_to=leaf)
    bob.say(conversation_id, "Other.", reply_to=root)
    page.goto(f"/messages/{root}/thread")
    events_are_heard(page)
    fold = page.locator(".branch > details > summary").first
    fold.click()
    fold.focus()
    bob.say(conversation_id, "Another branch.", reply_to=root)
    expect(message(page, "Another branch.")).to_be_visible()
    expect(page.get_by_text("Leaf.", exact=True)).to_be_hidden()
    expect(fold).to_be_focused()


def test_a_list_keeps_its_focus_and_what_was_loaded_further_down(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    for number in range(40):
        bob.say(conversation_id, f"Number {number}.")
    page = browse(ann, size=PHONE)
    page.goto("/inbox")
    events_are_heard(page)
    page.get_by_role("link", name="Older").scroll_into_view_if_needed()
    expect(page.locator(".mail")).to_have_count(40)
    row = page.locator(".mail", has_text="Number 5.")
    row.locator("a").focus()
    before = top_of(row)
    bob.say(conversation_id, "The newest.")
    expect(page.locator(".mail")).to_have_count(41)
    expect(row.locator("a")).to_be_focused()
    assert y_of(row) == before


def test_a_reading_place_stays_when_messages_come_and_change(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    said_ids = [bob.say(conversation_id, f"Number {number}.") for number in range(45)]
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    row, first = message(page, "Number 15."), message(page, "Number 0.")
    place = page.locator("#scroll")
    place.hover()
    # Neither at the end, nor where the first one is seen.
    page.mouse.wheel(0, 250)
    wait_until(page, lambda: y_of(first) < y_of(place) - 40)
    before = top_of(row)
    bob.say(conversation_id, "The newest.")
    expect(message(page, "The newest.")).to_have_count(1)
    assert y_of(row) == before
    bob.patch(f"/messages/{said_ids[42]}", {"content": "one\ntwo\nthree\nfour"})
    expect(message(page, "four")).to_have_count(1)
    bob.patch(f"/messages/{said_ids[0]}", {"content": "five\nsix\nseven\neight"})
    expect(message(page, "eight")).to_have_count(1)
    assert y_of(row) == before


def test_participants_change_under_an_open_choice_and_a_half_typed_name(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    conversation_id = ann.group("Walks", bob)
    page = browse(ann)
    page.goto(f"/conversations/{conversation_id}/details")
    events_are_heard(page)
    name = page.get_by_label("Add someone")
    name.press_sequentially("half-a-na")
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    expect(name).to_have_value("half-a-na")
    page.locator(".person", has_text=bob.username).locator("summary").click()
    ann.put(f"/conversations/{conversation_id}/participants/{cleo.username}")
    remove = page.get_by_role("button", name=re.compile("Remove .* from the group"))
    expect(remove).to_be_visible()
    page.locator(".person", has_text=bob.username).locator("summary").click()
    expect(page.locator(".person", has_text=cleo.username)).to_be_visible()
    expect(name).to_have_value("half-a-na")


def test_what_was_sent_does_not_stay_in_its_field(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    page = browse(ann)
    page.goto(f"/conversations/{ann.group('Walks', bob)}/details")
    page.get_by_label("Add someone").fill(cleo.username)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("takes part now.")).to_be_visible()
    expect(page.get_by_label("Add someone")).to_have_value("")


def test_the_focus_goes_on_to_the_next_row(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    for number in range(3):
        bob.say(conversation_id, f"Number {number}.")
    page.goto("/inbox")
    page.get_by_role("button", name="Mark read").nth(0).press("Enter")
    expect(page.locator(".mail")).to_have_count(2)
    expect(page.locator(".mail a").first).to_be_focused()


def test_the_focus_stays_with_a_message_that_was_changed(
    ann: SignedInUser, conversation_id: int, page: Page
) -> None:
    ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "Supper at six.", "Edit")
    page.locator(".in-place textarea").fill("Supper at seven.")
    page.get_by_role("button", name="Save").press("Enter")
    expect(message(page, "Supper at seven.")).to_be_focused()


def test_a_steady_stream_of_events_starves_no_part(
    ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    page.goto("/conversations/new")
    events_are_heard(page)
    page.goto("/notifications")
    events_are_heard(page)
    # Bob's events never leave a pause of 300 ms, and never end by themselves.
    page.evaluate(
        """() => {
            const channel = new BroadcastChannel("parley-events");
            const data = {message: {conversation_id: 0, sender: null, sequence: 1}};
            window.stream = setInterval(
                () => channel.postMessage({type: "message.created", data}), 100);
        }"""
    )
    with page.expect_response("**/notifications"):
        bob.say(bob.start_direct(ann), "Through the stream.")
    expect(in_main(page, "Through the stream.")).to_be_visible()
    page.evaluate("() => clearInterval(window.stream)")


def test_a_part_is_asked_for_once_at_a_time_and_at_last_shows_all(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    page.goto("/notifications")
    events_are_heard(page)
    with hold_requests(page, "**/notifications", method="GET") as renewals:
        bob.say(conversation_id, "Number 0.")
        first = renewals.take()
        for number in range(1, MANY):
            bob.say(conversation_id, f"Number {number}.")
        expect(page).to_have_title(re.compile(rf"^\({MANY}\)"))
        assert len(renewals.routes) == 1
        first.continue_()
        renewals.take(2).continue_()
        expect(page.locator(".mail")).to_have_count(MANY)
        assert len(renewals.routes) == 2


def test_a_burst_of_messages_is_few_requests(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    with hold_requests(page, "**/messages?*", method="GET") as takes:
        bob.say(conversation_id, "Number 0.")
        first = takes.take()
        for number in range(1, MANY):
            bob.say(conversation_id, f"Number {number}.")
        expect(page.locator("#typing")).to_be_attached()
        first.continue_()
        takes.take(2).continue_()
        expect(page.locator(".message")).to_have_count(MANY)
        assert len(takes.routes) == 2


def test_every_message_is_announced_in_order(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    with hold_requests(page, "**/messages?*", method="GET") as takes:
        bob.say(conversation_id, "One.")
        first = takes.take()
        for text in ("Two.", "Three.", "Four."):
            bob.say(conversation_id, text)
        first.continue_()
        takes.take(2).continue_()
        expect(said(page)).to_have_text(
            re.compile(r"Bob: One\.\s+Bob: Two\.\s+Bob: Three\.\s+Bob: Four\.")
        )


def test_a_burst_of_messages_is_announced_as_a_count(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    with hold_requests(page, "**/messages?*", method="GET") as takes:
        bob.say(conversation_id, "Number 0.")
        first = takes.take()
        for number in range(1, 9):
            bob.say(conversation_id, f"Number {number}.")
        first.continue_()
        takes.take(2).continue_()
        expect(said(page)).to_contain_text("Bob: Number 4. and 4 more")


def test_a_message_has_a_reply_less_once_that_is_deleted(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    root = ann.say(conversation_id, "Supper at seven?")
    bob.say(conversation_id, "Meanwhile.")
    ours = ann.say(conversation_id, "Who comes?", reply_to=root)
    theirs = bob.say(conversation_id, "Gladly.", reply_to=root)
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    row = page.locator(f"#m{root}")
    expect(row).to_contain_text("2 replies")
    bob.delete(f"/messages/{theirs}")
    expect(row).to_contain_text("1 reply")
    open_menu(page, "Who comes?", "Delete")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(f"#m{ours}")).to_have_count(0)
    expect(row).not_to_contain_text("1 reply")
