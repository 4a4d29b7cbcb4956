"""What a screen reader is told by itself: once, in few words, and nothing of one's own."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse, NewPerson
from tests.browser.held_requests import events_are_heard
from tests.browser.pages import message, wait_until
from tests.browser.signed_in_users import SignedInUser, say_many

# Whatever is read out as it changes.
LIVE = "[aria-live]:not([aria-live=off]), [role=status], [role=log], [role=alert]"

# Keeps the text of each element that is put into a live part which is there already.
PUT_INTO_LIVE_PARTS = f"""() => {{
    window.read = [];
    const keep = ({{ target, addedNodes }}) => {{
        if (!target.closest?.("{LIVE}")) return;
        for (const each of addedNodes) if (each.localName) window.read.push(each.textContent);
    }};
    const observer = new MutationObserver((records) => records.forEach(keep));
    observer.observe(document, {{ childList: true, subtree: true }});
}}"""


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    events_are_heard(page)
    return page


def said(page: Page) -> Locator:
    return page.locator("#announcer")


def heard(page: Page, text: str) -> Locator:
    """The live parts that hold this text, of those that hold no other such part."""
    return page.locator(f":is({LIVE}):not(:has({LIVE}))", has_text=text)


def test_a_reply_beside_its_conversation_is_announced_once(
    page: Page, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    root = ann.say(conversation_id, "Shall we play?")
    opened(page, f"/conversations/{conversation_id}")
    ann.say(conversation_id, "Anyone?", reply_to=root)
    page.get_by_role("link", name="1 reply").click()
    expect(page.locator("#side")).to_contain_text("Anyone?")
    bob.say(conversation_id, "I have white.", reply_to=root)
    expect(page.locator(".message", has_text="I have white.")).to_have_count(2)
    expect(said(page)).to_have_text(re.compile(r"^\s*Bob: I have white\.\s*$"))


def test_who_is_writing_is_shown_and_not_read_out(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    anns = opened(browse(ann), f"/conversations/{conversation_id}")
    bobs = opened(browse(bob), f"/conversations/{conversation_id}")
    anns.get_by_label("Your message").press_sequentially("Hm")
    expect(bobs.locator("#typing")).to_contain_text("Ann is writing")
    expect(heard(bobs, "is writing")).to_have_count(0)


def test_a_message_below_is_announced_by_its_words_and_not_counted_too(
    page: Page, bob: SignedInUser, conversation_id: int
) -> None:
    say_many(bob, conversation_id, 40)
    opened(page, f"/conversations/{conversation_id}")
    page.keyboard.press("Home")
    bob.say(conversation_id, "Meanwhile.")
    expect(heard(page, "Bob: Meanwhile.")).to_have_count(1)
    expect(page.get_by_role("link", name="1 new message below")).to_be_visible()
    expect(heard(page, "1 new message")).to_have_count(0)


def test_a_message_too_far_below_is_announced_by_number(
    page: Page, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    [first, *_] = say_many(bob, conversation_id, 130)
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": 130})
    opened(page, f"/conversations/{conversation_id}?around={first}#m{first}")
    bob.say(conversation_id, "Meanwhile.")
    expect(heard(page, "1 new message below")).to_have_count(1)
    expect(heard(page, "Meanwhile.")).to_have_count(0)


def test_being_offline_and_what_waits_is_read_out(
    browser_errors: BrowserErrors, page: Page, conversation_id: int
) -> None:
    browser_errors.allow_disconnection()
    opened(page, f"/conversations/{conversation_id}")
    region = page.get_by_role("status").filter(has=page.locator("#offline"))
    expect(region).to_have_count(1)
    page.context.set_offline(True)
    expect(region).to_contain_text("You are offline.")
    page.get_by_label("Your message").fill("Later, then.")
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("Waiting until you are online: Later, then.")
    page.context.set_offline(False)
    expect(said(page)).to_contain_text("You are online again.")
    expect(message(page, "Later, then.")).to_be_visible()
    expect(said(page)).not_to_contain_text("Ann: Later, then.")


@pytest.mark.parametrize("path", ["/people", "/conversations"])
def test_a_search_tells_how_many_it_found_and_not_all_of_them(
    browse: Browse, new_person: NewPerson, path: str
) -> None:
    ann = new_person("Ann")
    for name in ("Osbert", "Osbern"):
        ann.start_direct(new_person(name))
    page = opened(browse(ann), path)
    field = page.locator("main").get_by_role("searchbox")
    field.fill("osber")
    expect(said(page)).to_contain_text("2 found" if path != "/people" else " found")
    expect(heard(page, "Osbert")).to_have_count(0)
    field.fill("zeppelin")
    expect(said(page)).to_contain_text("zeppelin")


def test_what_an_action_did_is_read_out_on_the_page_after_it(page: Page) -> None:
    opened(page, "/settings")
    page.evaluate(PUT_INTO_LIVE_PARTS)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your settings are saved.")).to_be_visible()
    # Not with the page: what a live part arrives with is not read out.
    wait_until(page, lambda: page.evaluate("window.read.length > 0"))
    assert page.evaluate("window.read") == ["Your settings are saved."]


def test_a_list_of_names_is_told_by_its_field(page: Page, bob: SignedInUser) -> None:
    opened(page, "/conversations/new")
    field = page.get_by_role("combobox", name="Usernames", expanded=False)
    field.press_sequentially(bob.username[:8])
    opened_field = page.get_by_role("combobox", name="Usernames", expanded=True)
    expect(opened_field).to_be_focused()
    active = opened_field.get_attribute("aria-activedescendant")
    expect(page.locator(f"[role=option][aria-selected=true]#{active}")).to_be_visible()
    opened_field.press("Escape")
    expect(field).to_be_focused()


def test_the_way_to_a_place_is_open_as_long_as_it_offers_something(page: Page) -> None:
    opened(page, "/people")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", expanded=True)).to_be_focused()
    page.keyboard.type("zeppelin")
    expect(page.get_by_role("combobox", expanded=False)).to_be_focused()
    expect(page.get_by_role("dialog").get_by_role("status")).not_to_be_empty()


def test_what_is_answered_describes_the_field(
    page: Page, bob: SignedInUser, conversation_id: int
) -> None:
    bob.say(conversation_id, "Are you coming?")
    opened(page, f"/conversations/{conversation_id}")
    page.keyboard.press("k")
    page.keyboard.press("r")
    expect(page.get_by_label("Your reply")).to_have_accessible_description(
        re.compile(r"^Replying to Bob: Are you coming\?")
    )


def test_what_waits_is_read_with_its_card(
    page: Page, bob: SignedInUser, conversation_id: int
) -> None:
    bob.say(conversation_id, "Are you coming?")
    opened(page, "/catch-up")
    page.keyboard.press("j")
    card = page.locator(".waiting-card")
    expect(card).to_be_focused()
    expect(card).to_have_accessible_description(re.compile(r"Bob .*Are you coming\?"))
