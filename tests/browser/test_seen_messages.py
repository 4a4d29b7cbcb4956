"""Read is what was seen: nothing else, on whichever page it was."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Browse
from tests.browser.held_requests import events_are_heard
from tests.browser.pages import message, on_screen, open_menu, wait_until
from tests.browser.signed_in_users import SignedInUser, say_many, unread

MANY = 200
# What seen_messages.js waits before a row counts as seen, and no more.
A_MOMENT = 600


def y_of(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box
    return box["y"]


def stands_at_the_top(page: Page, selector: str) -> bool:
    return 0 <= y_of(page, selector) - y_of(page, "#scroll") < 100


def test_only_what_was_on_the_screen_is_read(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 60)
    page.goto(f"/conversations/{conversation_id}")
    expect(page).not_to_have_title("(60) Bob · Parley")
    seen = on_screen(page)
    assert 1 in seen
    assert len(seen) < 30
    wait_until(page, lambda: unread(ann) == set(range(1, 61)) - seen)
    expect(page).to_have_title(f"({60 - len(seen)}) Bob · Parley")


def test_a_page_opens_at_the_first_unread_message(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, MANY)
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": 40})
    page.goto(f"/conversations/{conversation_id}")
    expect(page.locator(".unread-line + .message")).to_contain_text("Number 40.")
    wait_until(page, lambda: stands_at_the_top(page, "#unread-line"))
    expect(page.locator("#unread-strip")).to_contain_text("160 new messages")
    expect(page.locator(".message")).to_have_count(50)
    wait_until(page, lambda: 41 not in unread(ann))
    assert unread(ann) >= set(range(80, MANY + 1))


def test_the_line_and_the_strip_stay_for_the_visit(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "You have seen this.")
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": 1})
    changed = bob.say(conversation_id, "But not this.")
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    wait_until(page, lambda: not unread(ann))
    bob.patch(f"/messages/{changed}", {"content": "But not this, either."})
    expect(message(page, "But not this, either.")).to_be_visible()
    bob.say(conversation_id, "And more.")
    expect(message(page, "And more.")).to_be_visible()
    wait_until(page, lambda: not unread(ann))
    new = page.locator(".unread-line + .message")
    expect(new).to_contain_text("But not this, either.")
    expect(page.locator("#unread-strip")).to_have_text("1 new message")
    page.goto(f"/conversations/{conversation_id}")
    expect(message(page, "And more.")).to_be_visible()
    expect(page.locator("#unread-line, #unread-strip")).to_have_count(0)


def test_the_line_comes_with_rows_that_are_fetched_later(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    # Enough of them is new for the line to stand at the top.
    first, *_ = say_many(bob, conversation_id, 80)
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": 40})
    page.goto(f"/conversations/{conversation_id}?around={first}")
    expect(page.locator("#unread-strip")).to_contain_text("40 new messages")
    expect(page.locator("#unread-line")).to_have_count(0)
    page.locator("#scroll").hover()
    page.mouse.wheel(0, 2000)
    expect(page.locator(".unread-line + .message")).to_contain_text("Number 40.")
    page.locator("#unread-strip a").click()
    wait_until(page, lambda: stands_at_the_top(page, "#unread-line"))


def test_what_is_marked_unread_stays_so_in_every_tab(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 3)
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    other = page.context.new_page()
    other.goto(f"/conversations/{conversation_id}")
    # It hears of events from the other tab.
    bob.say(conversation_id, "To both.")
    expect(message(other, "To both.")).to_be_visible()
    wait_until(page, lambda: not unread(ann))
    open_menu(page, "Number 1.", "Mark unread")
    expect(page.get_by_text("It is back in your inbox.")).to_be_visible()
    wait_until(page, lambda: unread(ann) == {2})
    for number, each in enumerate((page, other)):
        each.bring_to_front()
        each.locator("#scroll").hover()
        each.mouse.wheel(0, -50)
        # What comes now is read, and what was marked is not.
        bob.say(conversation_id, f"Later {number}.")
        expect(message(each, f"Later {number}.")).to_be_visible()
        wait_until(each, lambda: unread(ann) == {2})
    expect(other).to_have_title("(1) Bob · Parley")


def test_an_old_mention_reads_just_what_was_seen(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 80)
    mention = bob.say(conversation_id, f"Remember, @{ann.username}?")
    say_many(bob, conversation_id, 5)
    page.goto("/notifications")
    page.get_by_role("link", name="mentioned you").click()
    expect(page.locator(f"#m{mention}")).to_be_in_viewport()
    wait_until(page, lambda: 81 not in unread(ann))
    assert unread(ann) >= set(range(1, 57))


def test_threads_are_read_too(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    root = bob.say(conversation_id, "Shall we play?")
    for number in range(40):
        bob.say(conversation_id, f"Answer {number}.", reply_to=root)
    page.goto(f"/messages/{root}/thread")
    events_are_heard(page)
    wait_until(page, lambda: 1 not in unread(ann))
    assert unread(ann) >= {40, 41}
    page.keyboard.press("End")
    wait_until(page, lambda: 41 not in unread(ann))
    bob.say(conversation_id, "One more.", reply_to=root)
    message(page, "One more.").scroll_into_view_if_needed()
    wait_until(page, lambda: 42 not in unread(ann))


@pytest.mark.parametrize("size", [PHONE, (1280, 900)])
def test_what_is_passed_quickly_stays_unread(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    size: tuple[int, int],
) -> None:
    say_many(bob, conversation_id, MANY)
    page = browse(ann, size=size)
    page.goto(f"/conversations/{conversation_id}")
    wait_until(page, lambda: 1 not in unread(ann))
    page.locator("#scroll").press("End")
    wait_until(page, lambda: MANY not in unread(ann))
    assert unread(ann) >= set(range(60, 160))


def test_all_is_read_by_who_wheels_slowly_through_it(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 70)
    page.goto(f"/conversations/{conversation_id}")
    page.locator("#scroll").hover()
    while left := unread(ann):
        if on_screen(page).isdisjoint(left):
            page.mouse.wheel(0, 120)
        page.wait_for_timeout(20)
    expect(page.locator("#unread-strip form")).to_have_count(0)
    expect(page.locator("#unread-line")).to_have_count(1)


def test_the_last_that_were_seen_are_told_while_one_leaves(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 3)
    page.clock.install()
    page.clock.pause_at(datetime.now(tz=UTC) + timedelta(hours=1))
    page.goto(f"/conversations/{conversation_id}")
    # Time stands still once all were seen, and before that is told.
    while not page.evaluate(
        "() => parleySeen.isAllSeen(document.querySelector('#messages'))"
    ):
        page.clock.run_for(50)
    assert len(unread(ann)) == 3
    page.goto("/settings")
    wait_until(page, lambda: not unread(ann))


def test_what_is_shown_to_nobody_is_not_read(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    say_many(bob, conversation_id, 3)
    page.add_init_script(
        "Object.defineProperty(document, 'visibilityState', "
        "{get: () => window.looks ? 'visible' : 'hidden'})"
    )
    page.clock.install()
    page.goto(f"/conversations/{conversation_id}")
    expect(message(page, "Number 2.")).to_be_in_viewport()
    page.clock.run_for(10 * A_MOMENT)
    page.evaluate("() => fetch('/api/v1/me')")
    assert len(unread(ann)) == 3
    page.evaluate(
        "() => { window.looks = true;"
        " document.dispatchEvent(new Event('visibilitychange', {bubbles: true})); }"
    )
    page.clock.run_for(10 * A_MOMENT)
    wait_until(page, lambda: not unread(ann))


def test_of_a_message_longer_than_the_screen_half_a_screen_is_enough(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    bob.say(conversation_id, "It goes on for a while. " * 200)
    bob.say(conversation_id, "The end.")
    page = browse(ann, size=PHONE)
    page.goto(f"/conversations/{conversation_id}")
    wait_until(page, lambda: unread(ann) == {2})


def test_marking_as_read_leaves_the_line(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    *,
    scripts: bool,
) -> None:
    say_many(bob, conversation_id, 60)
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_role("button", name="Mark as read").click()
    wait_until(page, lambda: not unread(ann))
    if scripts:
        expect(page.locator("#unread-strip")).to_have_text("60 new messages")
        expect(page.locator("#unread-line")).to_have_count(1)
    else:
        expect(page.get_by_text("Marked as read.")).to_be_visible()


def test_without_scripts_the_strip_leads_to_the_first_unread(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    say_many(bob, conversation_id, 80)
    page = browse(ann, scripts=False)
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_role("link", name="80 new messages").click()
    expect(message(page, "Number 0.")).to_be_in_viewport()
    page.get_by_role("link", name="To the newest").click()
    expect(message(page, "Number 79.")).to_be_in_viewport()
