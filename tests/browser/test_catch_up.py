"""Catching up in a browser: by keys, exactly what is shown, and without scripts."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Browse, NewPerson
from tests.browser.held_requests import events_are_heard
from tests.browser.pages import nothing_reloads
from tests.browser.signed_in_users import SignedInUser, unread


@dataclass(frozen=True, slots=True)
class Waiting:
    """Of Bob: a direct message, and two threads of a group, of five and two messages."""

    ann: SignedInUser
    bob: SignedInUser
    direct: int
    group: int


@pytest.fixture
def waiting(new_person: NewPerson) -> Waiting:
    ann, bob = new_person("Ann"), new_person("Bob")
    group = ann.group("Walks", bob)
    root = bob.say(group, "Where shall we go?")
    for number in range(5):
        ann.say(group, f"Number {number}.")
    for content in ("To the lake.", "Or the hills?"):
        ann.say(group, content, reply_to=root)
    direct = ann.start_direct(bob)
    ann.say(direct, "Are you there?")
    return Waiting(ann, bob, direct, group)


def _card(page: Page, content: str) -> Locator:
    return page.locator(".waiting-card", has_text=content)


def _opened(page: Page, path: str = "/catch-up") -> Page:
    page.goto(path)
    events_are_heard(page)
    return page


def test_keys_go_through_what_waits_and_skipped_cards_stay_unread(
    browse: Browse, waiting: Waiting
) -> None:
    page = _opened(browse(waiting.bob))
    numbers, lake, direct = (
        _card(page, content) for content in ("Number 0.", "To the lake.", "Are you")
    )
    with nothing_reloads(page):
        page.keyboard.press("j")
        expect(numbers).to_be_focused()
        page.keyboard.press("n")
        expect(lake).to_be_focused()
        page.keyboard.press("e")
        expect(lake).to_have_count(0)
        # What comes after it is at hand.
        expect(direct).to_be_focused()
        page.keyboard.press("k")
        expect(numbers).to_be_focused()
    expect(page).to_have_title("(6) Catch up · Parley")
    assert unread(waiting.bob) == {1, 2, 3, 4, 5, 6}


def test_done_marks_exactly_what_was_shown(browse: Browse, waiting: Waiting) -> None:
    # Without scripts, the page is as it was made.
    page = browse(waiting.bob, scripts=False)
    page.goto("/catch-up")
    lake = _card(page, "To the lake.")
    expect(lake).to_contain_text("Where shall we go?")
    waiting.ann.say(waiting.group, "Number 5.")
    lake.get_by_role("button", name="Done").click()
    expect(lake).to_have_count(0)
    assert unread(waiting.bob) == {1, 2, 3, 4, 5, 6, 9}


def test_done_is_taken_back(browse: Browse, waiting: Waiting) -> None:
    page = _opened(browse(waiting.bob))
    before = unread(waiting.bob)
    _card(page, "To the lake.").get_by_role("button", name="Done").click()
    expect(page).to_have_title("(6) Catch up · Parley")
    page.get_by_role("button", name="Undo").click()
    expect(_card(page, "To the lake.")).to_be_visible()
    expect(page).to_have_title("(8) Catch up · Parley")
    assert unread(waiting.bob) == before


def test_a_reply_is_sent_by_keys_and_its_card_stays(
    browse: Browse, waiting: Waiting
) -> None:
    page = _opened(browse(waiting.bob))
    card = _card(page, "To the lake.")
    with nothing_reloads(page):
        card.focus()
        page.keyboard.press("r")
        expect(card.get_by_label("Your reply")).to_be_focused()
        page.keyboard.type("The hills, then.")
        page.keyboard.press("Control+Enter")
        expect(card).to_contain_text("Sent: The hills, then.")
        expect(card).to_be_focused()
    [sent] = [
        each
        for each in waiting.ann.get("/inbox").json()["items"]
        if each["content"] == "The hills, then."
    ]
    assert sent["parent_message_id"] is not None
    assert unread(waiting.bob) == {1, 2, 3, 4, 5, 6, 7, 8}


def test_what_comes_is_shown_at_its_place(browse: Browse, waiting: Waiting) -> None:
    page = _opened(browse(waiting.bob))
    waiting.ann.say(waiting.group, "Number 5.")
    expect(_card(page, "Number 4.")).to_contain_text("Number 5.")
    expect(page).to_have_title("(9) Catch up · Parley")
    expect(page.get_by_role("link", name="All 9")).to_be_visible()


def test_all_is_done_without_scripts(browse: Browse, waiting: Waiting) -> None:
    page = browse(waiting.bob, scripts=False, size=PHONE)
    page.goto("/catch-up")
    page.get_by_role("link", name="Skip", exact=True).first.click()
    reply = _card(page, "To the lake.").locator(".reply")
    reply.locator("summary").click()
    reply.get_by_label("Your reply").fill("The hills, then.")
    reply.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Sent.")).to_be_visible()
    _card(page, "To the lake.").get_by_role("button", name="Done").click()
    expect(_card(page, "To the lake.")).to_have_count(0)
    assert unread(waiting.bob) == {1, 2, 3, 4, 5, 6}
    page.get_by_role("button", name="Undo").click()
    expect(_card(page, "To the lake.")).to_be_visible()
    for left in (2, 1, 0):
        page.get_by_role("button", name="Done").first.click()
        expect(page.locator(".waiting-card")).to_have_count(left)
    expect(page.get_by_text("All caught up.")).to_be_visible()
    assert unread(waiting.bob) == set()


@pytest.mark.parametrize("size", [PHONE, (1920, 1080)])
def test_a_name_goes_with_the_last_of_its_cards(
    browse: Browse, waiting: Waiting, size: tuple[int, int]
) -> None:
    page = browse(waiting.bob, size=size)
    page.goto("/catch-up")
    name = page.locator(f"#waiting-{waiting.direct} h2")
    expect(name).to_be_visible()
    # As Done does, before the page is renewed.
    _card(page, "Are you there?").evaluate("card => card.remove()")
    assert not name.is_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
def test_nothing_is_wider_than_the_screen(
    browse: Browse, waiting: Waiting, screenshots: Path, width: int, dark: bool
) -> None:
    waiting.ann.say(waiting.direct, "A" * 300)
    page = browse(waiting.bob, size=(width, 900), dark=dark)
    page.goto("/catch-up")
    expect(_card(page, "To the lake.")).to_be_visible()
    name = f"catch-up-{width}-{'dark' if dark else 'light'}.png"
    page.screenshot(path=screenshots / name, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
