"""Where one reads nothing moves, and one way leads to the end."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import CDPSession, Locator, Page, Route, expect

from tests.browser.conftest import PHONE, Browse
from tests.browser.held_requests import HeldRequests, events_are_heard, hold_requests
from tests.browser.pages import message, on_screen, wait_until
from tests.browser.signed_in_users import SignedInUser, say_many, unread

PAGE = 50
ENOUGH = 120


def pill(page: Page) -> Locator:
    return page.locator("#to-end a")


def top_of(row: Locator) -> object:
    """Where it is on the screen; a scroll place is rounded to a whole pixel."""
    return pytest.approx(y_of(row), abs=2)


def y_of(row: Locator) -> float:
    box = row.bounding_box()
    assert box
    return box["y"]


def first_on_screen(page: Page) -> Locator:
    """The first that is seen whole: of the one above it, only the end may be."""
    row: str = page.evaluate(
        """() => {
            const { top } = document.querySelector("#scroll").getBoundingClientRect();
            const rows = [...document.querySelectorAll(".message")];
            return rows.find((row) => row.getBoundingClientRect().top >= top - 1).id;
        }"""
    )
    return page.locator(f"#{row}")


def rows(page: Page) -> Locator:
    return page.locator(".message")


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    events_are_heard(page)
    page.locator("#scroll").hover()
    return page


def place(conversation_id: int, message_id: int) -> str:
    return f"/conversations/{conversation_id}?around={message_id}#m{message_id}"


@dataclass(frozen=True, slots=True)
class Finger:
    wire: CDPSession

    def drag(self, start: int, end: int) -> None:
        """Down the screen, which scrolls up; slowly enough not to fling the rows."""
        self._touch("touchStart", {"x": 195, "y": start})
        for y in range(start, end, 40):
            self._touch("touchMove", {"x": 195, "y": y})
        self._touch("touchEnd")

    def _touch(self, kind: str, *points: dict[str, int]) -> None:
        touched = {"type": kind, "touchPoints": list(points)}
        self.wire.send("Input.dispatchTouchEvent", touched)


def finger_on(page: Page) -> Finger:
    wire = page.context.new_cdp_session(page)
    wire.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    return Finger(wire)


def further(fetches: HeldRequests) -> list[Route]:
    """Those of the links to older and newer rows, not those after an event."""
    return [each for each in fetches.routes if "hx-current-url" in each.request.headers]


def comes_to_rest(page: Page) -> None:
    """A wheel and a finger have an effect when the next frames are drawn."""
    page.evaluate(
        """async () => {
            const scroll = document.querySelector("#scroll");
            const frame = () => new Promise(requestAnimationFrame);
            for (let rest = 0, last = NaN; rest < 5; ) {
                await frame();
                rest = scroll.scrollTop === last ? rest + 1 : 0;
                last = scroll.scrollTop;
            }
        }"""
    )


def focused(page: Page) -> int:
    """The sequence of the message that has the focus."""
    return int(page.locator(".message:focus").get_attribute("data-sequence") or 0)


def is_at_end(page: Page) -> bool:
    at_end: bool = page.evaluate("() => parleyScroll.isAtEnd()")
    return at_end


@pytest.fixture
def said(ann: SignedInUser, bob: SignedInUser, conversation_id: int) -> list[int]:
    """All of it read."""
    ids = say_many(bob, conversation_id, ENOUGH)
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": ENOUGH})
    return ids


def test_nothing_is_fetched_for_who_only_looks(
    bob: SignedInUser, conversation_id: int, said: list[int], page: Page
) -> None:
    with hold_requests(page, "**/messages?*", method="GET") as fetches:
        opened(page, place(conversation_id, said[60]))
        expect(page.locator(f"#m{said[60]}")).to_be_in_viewport()
        for number in range(1, 4):
            bob.say(conversation_id, "Later.")
            expect(pill(page)).to_contain_text(f"{number} new message")
        assert fetches.routes == []
    expect(rows(page)).to_have_count(PAGE)


@pytest.mark.parametrize("wheel", [-700, 700])
def test_a_wheel_brings_one_page_at_a_time_and_the_rows_stay(
    bob: SignedInUser, conversation_id: int, said: list[int], page: Page, wheel: int
) -> None:
    opened(page, place(conversation_id, said[60]))
    with hold_requests(page, "**/messages?*", method="GET") as fetches:
        while not further(fetches):
            page.mouse.wheel(0, wheel)
            comes_to_rest(page)
        page.mouse.wheel(0, wheel)
        page.mouse.wheel(0, wheel)
        comes_to_rest(page)
        first = first_on_screen(page)
        before = top_of(first)
        fetches.take().continue_()
        expect(rows(page)).not_to_have_count(PAGE)
        assert y_of(first) == before
        # Nor does what came bring the next.
        comes_to_rest(page)
        assert len(further(fetches)) == 1
    bob.say(conversation_id, "Meanwhile.")
    expect(pill(page)).to_have_text("1 new message below ↓")
    assert y_of(first) == before


def test_a_wheel_that_brings_further_rows_still_scrolls(
    conversation_id: int, said: list[int], page: Page
) -> None:
    opened(page, place(conversation_id, said[60]))
    with hold_requests(page, "**/messages?*", method="GET") as fetches:
        page.mouse.wheel(0, 5000)
        fetches.take()
        comes_to_rest(page)
        place_now = page.evaluate("() => document.querySelector('#scroll').scrollTop")
        assert place_now == pytest.approx(0, abs=2)


def test_a_fast_wheel_reaches_the_end_and_stays_there(
    conversation_id: int, said: list[int], page: Page
) -> None:
    opened(page, place(conversation_id, said[60]))
    while not is_at_end(page):
        page.mouse.wheel(0, 3000)
        page.wait_for_timeout(20)
    expect(message(page, f"Number {ENOUGH - 1}.")).to_be_in_viewport()
    expect(pill(page)).to_be_hidden()


def test_touch_brings_older_rows_and_holds_the_place(
    browse: Browse, ann: SignedInUser, conversation_id: int, said: list[int]
) -> None:
    page = opened(browse(ann, size=PHONE), f"/conversations/{conversation_id}?end=1")
    finger = finger_on(page)
    with hold_requests(page, "**/messages?*", method="GET") as fetches:
        while not further(fetches):
            finger.drag(200, 600)
            comes_to_rest(page)
        first = first_on_screen(page)
        before = top_of(first)
        fetches.take().continue_()
        expect(rows(page)).not_to_have_count(PAGE)
        assert y_of(first) == before
    expect(message(page, f"Number {ENOUGH - 1}.")).not_to_be_in_viewport()


def test_what_grows_above_moves_nothing(
    conversation_id: int, said: list[int], page: Page
) -> None:
    opened(page, place(conversation_id, said[60]))
    page.mouse.wheel(0, 200)
    comes_to_rest(page)
    first = first_on_screen(page)
    before = top_of(first)
    # As a picture does, once it is there.
    first.evaluate(
        """async (row) => {
            const above = row.previousElementSibling.previousElementSibling;
            above.style.paddingTop = "300px";
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
        }"""
    )
    assert y_of(first) == before


def test_a_deleted_first_row_moves_nothing_else(
    bob: SignedInUser, conversation_id: int, said: list[int], page: Page
) -> None:
    opened(page, place(conversation_id, said[60]))
    first, second, *_ = sorted(on_screen(page))
    row = page.locator(f'[data-sequence="{second}"]')
    before = top_of(row)
    bob.delete(f"/messages/{said[first - 1]}")
    expect(page.locator(f'[data-sequence="{first}"]')).to_have_count(0)
    assert y_of(row) == before


def test_who_is_at_the_end_follows_it(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 40)
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": 40})
    opened(page, f"/conversations/{conversation_id}")
    for number in range(3):
        bob.say(conversation_id, f"Later {number}.")
        expect(message(page, f"Later {number}.")).to_be_in_viewport()
    expect(pill(page)).to_be_hidden()


def test_a_pill_counts_what_came_below(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 40)
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": 40})
    opened(page, f"/conversations/{conversation_id}")
    page.mouse.wheel(0, -400)
    expect(message(page, "Number 39.")).not_to_be_in_viewport()
    comes_to_rest(page)
    first = first_on_screen(page)
    before = top_of(first)
    gone, *_ = (bob.say(conversation_id, f"Later {number}.") for number in range(4))
    expect(pill(page)).to_have_text("4 new messages below ↓")
    ann.say(conversation_id, "From my other machine.")
    expect(message(page, "From my other machine.")).to_be_attached()
    bob.delete(f"/messages/{gone}")
    expect(pill(page)).to_have_text("3 new messages below ↓")
    assert y_of(first) == before
    pill(page).press("Enter")
    expect(message(page, "From my other machine.")).to_be_in_viewport()
    expect(pill(page)).to_be_hidden()
    expect(message(page, "From my other machine.")).to_be_focused()
    wait_until(page, lambda: not unread(ann))


def test_a_pill_at_an_old_place_leads_to_the_real_end(
    bob: SignedInUser, conversation_id: int, said: list[int], page: Page
) -> None:
    opened(page, place(conversation_id, said[60]))
    expect(pill(page)).to_have_text("To the newest ↓")
    bob.say(conversation_id, "Later.")
    expect(pill(page)).to_have_text("1 new message below ↓")
    pill(page).click()
    expect(message(page, "Later.")).to_be_in_viewport()
    expect(pill(page)).to_be_hidden()
    bob.say(conversation_id, "And later.")
    expect(message(page, "And later.")).to_be_in_viewport()


def test_what_is_sent_from_an_old_place_is_shown_once(
    bob: SignedInUser, conversation_id: int, said: list[int], page: Page
) -> None:
    opened(page, place(conversation_id, said[60]))
    page.get_by_label("Your message").fill("I have read this far.")
    page.get_by_label("Your message").press("Control+Enter")
    expect(message(page, "I have read this far.")).to_be_in_viewport()
    expect(message(page, "I have read this far.")).to_have_count(1)
    expect(page.locator(".unsent")).to_have_count(0)
    expect(page.get_by_label("Your message")).to_be_focused()
    newest, *_ = bob.get(f"/conversations/{conversation_id}/messages").json()["items"]
    assert newest["content"] == "I have read this far."
    assert newest["sequence"] == ENOUGH + 1


def test_what_is_sent_further_up_goes_to_the_end(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 40)
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": 40})
    opened(page, f"/conversations/{conversation_id}")
    page.mouse.wheel(0, -900)
    expect(message(page, "Number 39.")).not_to_be_in_viewport()
    page.get_by_label("Your message").fill("Down here.")
    page.get_by_label("Your message").press("Control+Enter")
    expect(message(page, "Down here.")).to_be_in_viewport()


@pytest.mark.parametrize("focus", ["body", "#scroll"])
def test_keys_scroll_wherever_the_focus_is(
    conversation_id: int, said: list[int], page: Page, focus: str
) -> None:
    opened(page, place(conversation_id, said[60]))
    if focus != "body":
        page.locator(focus).focus()
    page.keyboard.press("End")
    expect(message(page, f"Number {ENOUGH - 1}.")).to_be_in_viewport()
    page.keyboard.press("PageUp")
    expect(message(page, f"Number {ENOUGH - 1}.")).not_to_be_in_viewport()
    page.keyboard.press("PageDown")
    expect(message(page, f"Number {ENOUGH - 1}.")).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(message(page, "Number 20.")).to_be_attached()


def test_j_and_k_begin_where_one_reads(
    conversation_id: int, said: list[int], page: Page
) -> None:
    opened(page, place(conversation_id, said[60]))
    page.keyboard.press("j")
    assert 45 < focused(page) < 65
    while (here := focused(page)) < 95:
        page.keyboard.press("j")
        # Below the last row there is none to go to, until it is fetched.
        assert focused(page) in {here, here + 1}
    expect(page.locator(".message:focus")).to_be_in_viewport()
    page.keyboard.press("k")
    assert focused(page) == here - 1


def test_the_day_one_reads_stands_above(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 60)
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": 60})
    opened(page, f"/conversations/{conversation_id}")
    day = page.locator(".day")
    expect(day).to_have_text("Today")
    assert y_of(day) == pytest.approx(y_of(page.locator("#scroll")), abs=2)
