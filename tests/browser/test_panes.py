"""What stands beside what at which width, and the way back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Browse, NewPerson
from tests.browser.held_requests import events_are_heard, hold_requests
from tests.browser.pages import message, nothing_reloads, wait_until
from tests.browser.signed_in_users import SignedInUser, say_many, unread

LAPTOP, WIDE = (1280, 800), (1920, 1080)


def rows_beside(page: Page) -> list[str]:
    return page.locator(".pane .row-title").all_inner_texts()


def test_the_list_stays_beside_the_conversations_that_are_opened_from_it(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    first, second = ann.start_direct(bob), ann.start_direct(cleo)
    bob.say(first, "From Bob.")
    cleo.say(second, "From Cleo.")
    page = browse(ann, size=LAPTOP)
    page.goto(f"/conversations/{first}")
    row = page.locator(".pane .row", has_text="Cleo")
    expect(row).not_to_have_attribute("aria-current", "page")
    with nothing_reloads(page):
        row.click()
        expect(message(page, "From Cleo.")).to_be_visible()
        expect(row).to_have_attribute("aria-current", "page")
    assert sorted(rows_beside(page)) == ["Bob", "Cleo"]


def test_the_list_beside_a_page_tells_what_comes_in(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob = new_person("Ann"), new_person("Bob")
    conversation_id = ann.start_direct(bob)
    page = browse(ann, size=LAPTOP)
    page.goto("/settings")
    row = page.locator(".pane .row", has_text="Bob")
    expect(row).to_contain_text("No messages yet")
    events_are_heard(page)
    bob.say(conversation_id, "News.")
    expect(row).to_contain_text("News.")
    expect(row.locator(".badge")).to_contain_text("1")
    ann.put(f"/conversations/{conversation_id}/mute")
    expect(row).to_contain_text("Muted")


def test_the_list_shows_drafts_and_who_is_there(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    page = browse(ann, size=LAPTOP)
    page.goto(f"/conversations/{conversation_id}")
    events_are_heard(page)
    row = page.locator(".pane .row", has_text="Bob")
    expect(row.get_by_text("Online")).to_be_hidden()
    page.get_by_label("Your message").press_sequentially("Half a thou")
    page.goto("/settings")
    expect(row).to_contain_text("Draft: Half a thou")
    events_are_heard(page)
    bobs = browse(bob)
    bobs.goto("/settings")
    expect(row.locator(".online")).to_be_visible()


def test_finding_in_the_list_leaves_the_page_beside_it(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    first = ann.start_direct(bob)
    ann.start_direct(cleo)
    page = browse(ann, size=LAPTOP)
    page.goto(f"/conversations/{first}")
    page.get_by_label("Find a conversation").fill("cle")
    expect(page.locator(".pane .row")).to_have_count(1)
    expect(page).to_have_url(re.compile(f"/conversations/{first}$"))
    events_are_heard(page)
    cleo.group("Walks", ann)
    bob.say(first, "Still only Cleo is wanted.")
    expect(message(page, "Still only")).to_be_visible()
    assert rows_beside(page) == ["Cleo"]


@pytest.mark.parametrize("size", [PHONE, (768, 1024)])
def test_a_narrow_screen_has_one_pane(
    browse: Browse,
    ann: SignedInUser,
    conversation_id: int,
    size: tuple[int, int],
) -> None:
    page = browse(ann, size=size)
    page.goto(f"/conversations/{conversation_id}")
    expect(page.get_by_label("Your message")).to_be_visible()
    expect(page.locator(".pane")).to_be_hidden()
    expect(page.locator(".side")).to_be_hidden()
    assert page.locator(".pane .row").count() == 0


def test_back_on_a_phone_goes_through_the_panes(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    *,
    scripts: bool,
) -> None:
    root = bob.say(conversation_id, "Shall we play?")
    ann.say(conversation_id, "You begin.", reply_to=root)
    page = browse(ann, size=PHONE, touch=True, scripts=scripts)
    page.goto("/conversations")
    page.get_by_role("link", name="Bob").tap()
    expect(page).to_have_url(re.compile(f"/conversations/{conversation_id}$"))
    page.get_by_role("link", name="1 reply").tap()
    expect(page).to_have_url(re.compile(f"/messages/{root}/thread$"))
    expect(page.get_by_role("heading", name="1 reply")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Your message")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Conversations")).to_be_visible()


def test_the_arrow_goes_back_and_not_on(
    browse: Browse, ann: SignedInUser, conversation_id: int
) -> None:
    assert conversation_id
    page = browse(ann, size=PHONE)
    page.goto("/settings")
    page.get_by_role("link", name="Conversations", exact=True).click()
    page.get_by_role("link", name="Bob").click()
    page.get_by_role("link", name="All conversations").click()
    expect(page.get_by_role("heading", name="Conversations")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()


def test_a_thread_opens_beside_its_conversation_and_back_closes_it(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    root = bob.say(conversation_id, "Shall we play?")
    ann.say(conversation_id, "You begin.", reply_to=root)
    page = browse(ann, size=LAPTOP)
    page.goto(f"/conversations/{conversation_id}")
    side = page.locator("#side")
    with nothing_reloads(page):
        page.get_by_role("link", name="1 reply").click()
        expect(page).to_have_url(re.compile(f"/messages/{root}/thread$"))
        expect(side.locator(".message", has_text="Shall we play?")).to_be_visible()
        events_are_heard(page)
        bob.say(conversation_id, "I have white.", reply_to=root)
        expect(side.get_by_text("I have white.")).to_be_visible()
        expect(page.locator("#scroll").get_by_text("I have white.")).to_be_visible()
        assert doubled_ids(page) == []
        page.go_back()
        expect(side).to_be_hidden()
        expect(page).to_have_url(re.compile(f"/conversations/{conversation_id}$"))
        page.go_forward()
        expect(side.locator(".message", has_text="Shall we play?")).to_be_visible()
        side.get_by_role("button", name="Close").click()
        expect(side).to_be_hidden()
    page.go_forward()
    page.reload()
    expect(page.get_by_role("heading", name="Thread")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_count(0)


def test_a_message_is_changed_in_the_panel_and_answered_beside_it(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    root = bob.say(conversation_id, "Shall we play?")
    ann.say(conversation_id, "You begin.", reply_to=root)
    page = browse(ann, size=LAPTOP)
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_role("link", name="1 reply").click()
    row = page.locator("#side .message", has_text="You begin.")
    row.get_by_label("More about this message").click()
    row.get_by_role("link", name="Edit").click()
    page.locator("#side textarea").fill("I begin.")
    page.locator("#side").get_by_role("button", name="Save").click()
    expect(page.locator("#side .message", has_text="I begin.")).to_be_visible()
    expect(page.locator("#scroll .message", has_text="I begin.")).to_be_visible()
    row = page.locator("#side .message", has_text="Shall we play?")
    row.get_by_label("More about this message").click()
    row.get_by_role("link", name="Reply").click()
    page.get_by_label("Your reply").fill("Or you.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#side .message", has_text="Or you.")).to_be_visible()
    assert doubled_ids(page) == []


def test_the_next_unread_of_a_thread_in_the_panel_is_shown_there(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    root = ann.say(conversation_id, "Shall we play?")
    for number in range(40):
        bob.say(conversation_id, f"Move {number}.", reply_to=root)
    page = browse(ann, size=LAPTOP)
    page.goto(f"/conversations/{conversation_id}?around={root}")
    events_are_heard(page)
    with nothing_reloads(page):
        page.get_by_role("link", name="40 replies").click()
        side = page.locator("#side")
        expect(side.get_by_text("Move 0.")).to_be_visible()
        side.locator("[data-next-unread]").click()
        expect(side.locator(".message:focus")).to_be_in_viewport()
        # The key does the same.
        first = side.locator(".message:focus").get_attribute("id")
        page.keyboard.press("u")
        expect(side.locator(f"#{first}")).not_to_be_focused()
        expect(side.locator(".message:focus")).to_be_in_viewport()
    expect(page.get_by_label("Your message")).to_be_visible()


def test_a_wide_screen_shows_the_people_until_one_closes_them(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob = new_person("Ann"), new_person("Bob")
    page = browse(ann, size=WIDE)
    page.goto(f"/conversations/{ann.group('Walks', bob)}")
    side = page.locator("#side")
    expect(side.locator(".person", has_text=bob.username)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/conversations/\d+$"))
    assert doubled_ids(page) == []
    side.get_by_role("button", name="Close").click()
    expect(side).to_be_hidden()
    page.reload()
    expect(page.locator(".pane .row")).to_have_count(1)
    expect(side).to_be_hidden()


def test_what_waits_stands_beside_the_list_and_is_done_there(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    bob.say(conversation_id, "Shall we play?")
    page = browse(ann, size=LAPTOP)
    page.goto("/conversations")
    card = page.locator(".start .waiting-card", has_text="Shall we play?")
    expect(card).to_be_visible()
    with nothing_reloads(page):
        card.get_by_role("button", name="Done").click()
        expect(card).to_have_count(0)
    assert ann.get("/inbox/summary").json()["unread_count"] == 0


@pytest.mark.parametrize("size", [LAPTOP, WIDE])
def test_without_scripts_no_room_is_kept_for_what_they_fetch(
    browse: Browse,
    ann: SignedInUser,
    conversation_id: int,
    size: tuple[int, int],
) -> None:
    page = browse(ann, scripts=False, size=size)
    for path in ("/conversations", f"/conversations/{conversation_id}", "/settings"):
        page.goto(path)
        expect(page.locator(":is(.pane, .side, .start):visible")).to_have_count(0)
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_role("link", name="All conversations").click()
    expect(page.get_by_role("link", name="Bob")).to_be_visible()


def test_the_navigation_has_the_same_labels_at_every_width(
    browse: Browse, ann: SignedInUser
) -> None:
    found = set()
    for size in (PHONE, (768, 1024), LAPTOP, WIDE):
        page = browse(ann, size=size)
        page.goto("/conversations")
        labels = page.locator(".navigation li a > span")
        found.add(tuple(labels.all_inner_texts()))
        cut = "each => each.scrollWidth > each.clientWidth"
        assert not any(label.evaluate(cut) for label in labels.all())
    assert len(found) == 1


def doubled_ids(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("[id]")].map(({id}) => id)
            .filter((id, place, all) => all.indexOf(id) !== place)"""
    )
    return found


def test_many_messages_are_on_the_screen_of_a_laptop(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    for number in range(10):
        ann.say(conversation_id, f"What about the {number}th, would that suit you?")
        bob.say(conversation_id, "No, but the day after I have time.")
    page = browse(ann, size=LAPTOP)
    page.goto(f"/conversations/{conversation_id}?end=1")
    expect(message(page, "the 9th")).to_be_in_viewport()
    assert whole_on_screen(page) >= 12
    # Of one who goes on, many more.
    say_many(bob, conversation_id, 30)
    page.goto(f"/conversations/{conversation_id}?end=1")
    expect(message(page, "Number 29.")).to_be_in_viewport()
    assert whole_on_screen(page) >= 20


def whole_on_screen(page: Page) -> int:
    """How many messages are seen whole, below the line of their day."""
    found: int = page.evaluate(
        """() => {
            const screen = document.querySelector("#scroll").getBoundingClientRect();
            const line = document.querySelector(".day").getBoundingClientRect().bottom;
            return [...document.querySelectorAll("#scroll .message")].filter((row) => {
                const { top, bottom } = row.getBoundingClientRect();
                return top >= Math.max(screen.top, line) - 1 && bottom <= screen.bottom + 1;
            }).length;
        }"""
    )
    return found


def test_what_is_seen_in_the_panel_is_read(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    """And what stands between, in the conversation beside it, is not."""
    root = ann.say(conversation_id, "Who comes?")
    say_many(bob, conversation_id, 60)
    reply = bob.say(conversation_id, "I do.", reply_to=root)
    page = browse(ann, size=WIDE)
    page.goto(f"/conversations/{conversation_id}?around={root}#m{root}")
    page.locator(f"#m{root}").get_by_role("link", name="1 reply").click()
    expect(page.locator("#side").get_by_text("I do.")).to_be_visible()
    newest = ann.get(f"/messages/{reply}").json()["sequence"]
    wait_until(page, lambda: newest not in unread(ann))
    assert newest - 1 in unread(ann)


def test_of_two_that_are_pressed_the_later_one_is_shown_and_one_close_leads_back(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    for question, answer in (("Tea?", "Green."), ("Cake?", "Plum.")):
        asked = bob.say(conversation_id, question)
        ann.say(conversation_id, answer, reply_to=asked)
    page = browse(ann, size=LAPTOP)
    page.goto(f"/conversations/{conversation_id}")
    side, here = page.locator("#side"), page.url
    with hold_requests(page, "**/messages/*/thread", method="GET") as threads:
        for question in ("Tea?", "Cake?"):
            message(page, question).get_by_role("link", name="1 reply").click()
        threads.take(2).continue_()
        expect(side.get_by_text("Plum.")).to_be_visible()
        with page.expect_response("**/messages/*/thread"):
            threads.take(1).continue_()
    expect(side.get_by_text("Plum.")).to_be_visible()
    side.get_by_role("button", name="Close").click()
    expect(page).to_have_url(here)
    expect(side).to_be_hidden()


def test_a_page_that_comes_late_does_not_replace_one_that_was_asked_for_after_it(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob, cleo = new_person("Ann"), new_person("Bob"), new_person("Cleo")
    slow, quick = ann.start_direct(bob), ann.start_direct(cleo)
    bob.say(slow, "From Bob.")
    cleo.say(quick, "From Cleo.")
    page = browse(ann, size=LAPTOP)
    page.goto("/settings")
    row = page.locator(".pane .row")
    with hold_requests(page, f"**/conversations/{slow}", method="GET") as held:
        row.filter(has_text="Bob").click()
        late = held.take()
        row.filter(has_text="Cleo").click()
        expect(message(page, "From Cleo.")).to_be_visible()
        with page.expect_event("requestfinished", lambda done: done == late.request):
            late.continue_()
    page.evaluate("new Promise((drawn) => requestIdleCallback(drawn))")
    expect(message(page, "From Cleo.")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/conversations/{quick}$"))
    row.filter(has_text="Bob").click()
    expect(message(page, "From Bob.")).to_be_visible()
