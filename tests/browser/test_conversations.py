"""Reading and writing: a conversation, a thread, the history of a message."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import PHONE, Browse, NewPerson
from tests.browser.held_requests import events_are_heard
from tests.browser.pages import in_main, message, nothing_reloads, open_menu
from tests.browser.signed_in_users import SignedInUser


def test_a_message_is_sent_by_keyboard(
    ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    page.goto(f"/conversations/{ann.start_direct(bob)}")
    with nothing_reloads(page):
        page.get_by_label("Your message").fill("First line\nsecond line")
        page.get_by_label("Your message").press("Control+Enter")
        expect(message(page, "second line")).to_be_in_viewport()
        expect(page.get_by_label("Your message")).to_have_value("")
    assert bob.get("/inbox/summary").json()["unread_count"] == 1


def test_a_message_is_answered_changed_and_deleted_in_its_place(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "Shall we play?")
    page.goto(f"/conversations/{conversation_id}")
    with nothing_reloads(page):
        message(page, "Shall we play?").hover()
        message(page, "Shall we play?").get_by_role("link", name="Reply").click()
        page.get_by_label("Your reply").fill("You begin.")
        page.get_by_role("button", name="Send").click()
        expect(message(page, "You begin.").locator(".answers")).to_contain_text("Bob")
        open_menu(page, "You begin.", "Edit")
        page.locator(".in-place textarea").fill("You begin, I have black.")
        page.get_by_role("button", name="Save").click()
        expect(message(page, "I have black.")).to_contain_text("Edited")
        open_menu(page, "I have black.", "Delete")
        page.get_by_role("button", name="Delete", exact=True).click()
        expect(message(page, "I have black.")).to_have_count(0)
    [left] = bob.get(f"/conversations/{conversation_id}/messages").json()["items"]
    assert left["content"] == "Shall we play?"


def test_the_same_without_scripts(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    bob.say(conversation_id, "Shall we play?")
    page = browse(ann, scripts=False)
    page.goto(f"/conversations/{conversation_id}")
    message(page, "Shall we play?").hover()
    message(page, "Shall we play?").get_by_role("link", name="Reply").click()
    page.get_by_label("Your reply").fill("You begin.")
    page.get_by_role("button", name="Send").click()
    open_menu(page, "You begin.", "Edit")
    page.locator("form textarea").first.fill("You begin, I have black.")
    page.get_by_role("button", name="Save").click()
    expect(message(page, "I have black.")).to_contain_text("Edited")
    open_menu(page, "I have black.", "History")
    expect(page.locator(".version")).to_have_count(2)
    page.get_by_role("button", name="Bring this back").click()
    expect(in_main(page, "Version 1 is back.")).to_be_visible()
    page.get_by_role("link", name="In the conversation").click()
    open_menu(page, "You begin.", "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(message(page, "You begin.")).to_have_count(0)


def test_older_messages_come_when_one_scrolls_to_them(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    for number in range(75):
        ann.say(conversation_id, f"Number {number}.")
    page = browse(bob, size=PHONE)
    page.goto(f"/conversations/{conversation_id}?end=1")
    expect(message(page, "Number 74.")).to_be_in_viewport()
    expect(message(page, "Number 0.")).to_have_count(0)
    page.locator("#scroll").hover()
    with nothing_reloads(page):
        while message(page, "Number 0.").count() == 0:
            first = page.locator(".message").first
            before = first.get_attribute("id")
            page.mouse.wheel(0, -20_000)
            expect(first).not_to_have_id(before or "")
    expect(page.locator(".message")).to_have_count(75)


def test_what_is_new_stands_under_a_line_and_is_read_when_seen(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "You have seen this.")
    [known] = ann.get("/inbox").json()["items"]
    ann.put(f"/messages/{known['id']}/read")
    bob.say(conversation_id, "But not this.")
    page.goto(f"/conversations/{conversation_id}")
    new = page.locator(".unread-line ~ .message")
    expect(new).to_have_count(1)
    expect(new).to_contain_text("But not this.")
    expect(page).to_have_title("Bob · Parley")
    assert ann.get("/inbox/summary").json()["unread_count"] == 0


def test_a_draft_outlives_its_page(
    ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    page.goto(f"/conversations/{ann.start_direct(bob)}")
    page.get_by_label("Your message").press_sequentially("Half a thou")
    page.goto("/settings")
    page.go_back()
    expect(page.get_by_label("Your message")).to_have_value("Half a thou")


def test_keys_move_between_messages(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    for content in ("one", "two", "three"):
        bob.say(conversation_id, content)
    page.goto(f"/conversations/{conversation_id}")
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(message(page, "two")).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_label("Your reply")).to_be_focused()


def test_the_sender_sees_who_has_read(browse: Browse, new_person: NewPerson) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    conversation_id = ann.group("Walks", bob, cleo)
    sent = ann.say(conversation_id, "Nine it is.")
    bob.put(f"/messages/{sent}/read")
    page = browse(ann)
    page.goto(f"/conversations/{conversation_id}")
    message(page, "Nine it is.").get_by_role("link", name="Sent").click()
    expect(page.locator("li", has_text="Bob")).to_contain_text("Read")
    expect(page.locator("li", has_text="Cleo")).to_contain_text("Not yet")


def test_a_deep_thread_is_flat_and_its_branches_fold(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    *,
    scripts: bool,
) -> None:
    root = above = ann.say(conversation_id, "Level 0.")
    for level in range(1, 13):
        above = ann.say(conversation_id, f"Level {level}.", reply_to=above)
    branch = ann.say(conversation_id, "By the way.", reply_to=above)
    for text in ("Aside.", "Another aside."):
        branch = ann.say(conversation_id, text, reply_to=branch)
    ann.say(conversation_id, "Level 13.", reply_to=above)
    page = browse(bob, scripts=scripts, size=PHONE)
    # The thread of a reply is that of its root, at its place.
    page.goto(f"/messages/{above}/thread")
    expect(page.locator(f"#m{above}")).to_be_in_viewport()
    expect(page.get_by_role("heading", name="16 replies")).to_have_count(1)
    lefts = [left_of(page, f"Level {level}.") for level in range(1, 14)]
    assert lefts == [lefts[0]] * 13
    assert left_of(page, "By the way.") > lefts[0]
    assert left_of(page, "Another aside.") == left_of(page, "By the way.")
    page.locator("summary", has_text="2 replies").click()
    expect(page.get_by_text("Another aside.")).to_be_hidden()
    expect(message(page, "Level 13.")).to_be_visible()
    page.get_by_label("In the conversation").click()
    expect(page.locator(f"#m{root}")).to_be_in_viewport()


def left_of(page: Page, content: str) -> float:
    box = message(page, content).last.bounding_box()
    assert box
    return box["x"]


def test_a_history_marks_what_changed(
    browse: Browse, ann: SignedInUser, bob: SignedInUser
) -> None:
    sent = ann.say(ann.start_direct(bob), "Supper at six.")
    ann.patch(f"/messages/{sent}", {"content": "Supper at seven."})
    page = browse(bob)
    page.goto(f"/messages/{sent}/history")
    expect(page.locator(".version del")).to_contain_text("six")
    expect(page.locator(".version ins")).to_contain_text("seven")
    expect(page.get_by_role("button", name="Bring this back")).to_have_count(0)


def test_an_earlier_version_is_restored(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    *,
    scripts: bool,
) -> None:
    sent = ann.say(conversation_id, "Supper at six.")
    ann.patch(f"/messages/{sent}", {"content": "Supper at seven."})
    page = browse(ann, scripts=scripts)
    page.goto(f"/messages/{sent}/history")
    page.get_by_role("button", name="Bring this back").click()
    expect(page.locator(".version")).to_have_count(3)
    [message] = bob.get(f"/conversations/{conversation_id}/messages").json()["items"]
    assert (message["content"], message["edited"]) == ("Supper at six.", True)


def test_writing_goes_on_without_a_connection(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow_disconnection()
    page.goto(f"/conversations/{conversation_id}")
    banner = page.get_by_text("You are offline.")
    expect(banner).to_be_hidden()
    page.context.set_offline(True)
    expect(banner).to_be_visible()
    page.get_by_label("Your message").fill("Written in a tunnel.")
    page.get_by_role("button", name="Send").click()
    expect(in_main(page, "Waiting until you are online")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value("")
    bob.say(conversation_id, "Sent meanwhile.")
    page.context.set_offline(False)
    expect(banner).to_be_hidden()
    expect(message(page, "Sent meanwhile.")).to_be_visible()
    expect(message(page, "Written in a tunnel.")).to_have_count(1)
    assert bob.get("/inbox/summary").json()["unread_count"] == 1


def test_an_edit_in_a_thread_outlives_what_others_do(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    root = bob.say(conversation_id, "Shall we play?")
    ann.say(conversation_id, "You begin.", reply_to=root)
    page.goto(f"/messages/{root}/thread")
    events_are_heard(page)
    open_menu(page, "You begin.", "Edit")
    page.locator(".in-place textarea").fill("I begin.")
    bob.say(conversation_id, "I have white.", reply_to=root)
    expect(message(page, "I have white.")).to_be_visible()
    expect(page.locator(".in-place textarea")).to_have_value("I begin.")
    expect(page.locator(".in-place textarea")).to_be_focused()
    page.get_by_role("button", name="Save").click()
    expect(message(page, "I begin.")).to_contain_text("Edited")
    open_menu(page, "I begin.", "Delete")
    bob.say(conversation_id, "Pawn to e4.", reply_to=root)
    expect(message(page, "Pawn to e4.")).to_be_visible()
    expect(page.get_by_text("Delete this message")).to_be_visible()


@pytest.mark.parametrize("end", ["Save", "Cancel"])
@pytest.mark.parametrize("edited", ["Shall we play?", "You begin."])
def test_an_edit_in_a_thread_ends_as_a_row_of_the_thread(
    end: str, edited: str, ann: SignedInUser, conversation_id: int, page: Page
) -> None:
    root = ann.say(conversation_id, "Shall we play?")
    ann.say(conversation_id, "You begin.", reply_to=root)
    page.goto(f"/messages/{root}/thread")
    shape = "row => [row.localName, row.parentElement.localName]"
    before = message(page, edited).evaluate(shape)
    open_menu(page, edited, "Edit")
    page.locator(".in-place textarea").fill(edited if end == "Cancel" else "White.")
    page.locator(".in-place .buttons").get_by_text(end).click()
    row = message(page, edited if end == "Cancel" else "White.")
    expect(page.locator(".in-place")).to_have_count(0)
    expect(row).to_have_class("message")
    assert row.evaluate(shape) == before
    expect(row.locator(".answers")).to_have_count(0)
    expect(row.get_by_text("↑ Parent")).to_have_count(int(edited == "You begin."))
    row.hover()
    row.get_by_role("link", name="Reply").click()
    expect(page.get_by_label("Your reply")).to_be_focused()


def test_a_form_on_a_page_of_its_own_comes_back_to_the_conversation(
    ann: SignedInUser, conversation_id: int, page: Page
) -> None:
    sent = ann.say(conversation_id, "You begin.")
    page.goto(f"/messages/{sent}/edit")
    page.get_by_label("Your message").fill("I begin.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Your message")).to_have_value("")
    expect(message(page, "I begin.")).to_contain_text("Edited")
    page.goto(f"/messages/{sent}/delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("The message is deleted.")).to_be_visible()
    expect(message(page, "I begin.")).to_have_count(0)


def test_long_words_and_other_directions_keep_to_their_place(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    ann.say(conversation_id, "w" * 5000)
    ann.say(conversation_id, "مرحبا، هل نلتقي غدا؟")
    page = browse(bob, size=PHONE)
    page.goto(f"/conversations/{conversation_id}")
    word = message(page, "wwww").locator(".body")
    expect(word).to_have_css("direction", "ltr")
    expect(message(page, "مرحبا").locator(".body")).to_have_css("direction", "rtl")
    box = word.bounding_box()
    assert box
    assert box["x"] + word.evaluate("body => body.scrollWidth") <= PHONE[0]


def test_a_conversation_is_found_by_its_name(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, *, scripts: bool
) -> None:
    ann.group("Long walks", bob)
    ann.group("Short talks", bob)
    page = browse(ann, scripts=scripts)
    page.goto("/conversations")
    expect(page.locator(".rows > li")).to_have_count(2)
    page.get_by_role("searchbox").fill("walk")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".rows > li")).to_have_count(1)
    page.get_by_role("link", name="Long walks").click()
    expect(page.get_by_role("heading", name="Long walks")).to_be_visible()
