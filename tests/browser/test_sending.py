"""What is sent is sent once and in order, and nothing typed meanwhile is lost."""

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import PHONE, Browse
from tests.browser.held_requests import events_are_heard, hold_requests, offline
from tests.browser.pages import message, open_menu
from tests.browser.signed_in_users import SignedInUser, remove_participant

SENDS = "**/send"


def field_of(page: Page) -> Locator:
    return page.locator("#content")


def unsent(page: Page) -> Locator:
    return page.locator(".unsent")


def send(page: Page, *texts: str) -> None:
    """Type each and press Ctrl and Enter, waiting for nothing."""
    for text in texts:
        field_of(page).press_sequentially(text)
        field_of(page).press("Control+Enter")


def contents(someone: SignedInUser, conversation_id: int) -> Sequence[str]:
    """What the conversation holds, the oldest first."""
    items = someone.get(f"/conversations/{conversation_id}/messages").json()["items"]
    return [item["content"] for item in reversed(items)]


def test_what_is_typed_while_a_message_is_sent_stays(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "The first.")
        expect(field_of(page)).to_have_value("")
        first = sends.take()
        field_of(page).press_sequentially("Half of the sec")
        expect(unsent(page)).to_have_text(re.compile(r"The first\."))
        first.continue_()
        expect(message(page, "The first.")).to_have_count(1)
        expect(unsent(page)).to_have_count(0)
    expect(field_of(page)).to_have_value("Half of the sec")
    expect(field_of(page)).to_be_focused()
    assert contents(bob, conversation_id) == ["The first."]


@pytest.mark.parametrize("size", [(1280, 900), PHONE])
def test_messages_go_out_in_order_one_at_a_time(
    browse: Browse,
    size: tuple[int, int],
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
) -> None:
    page = browse(ann, size=size)
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "One.", "Two.", "Three.")
        first = sends.take()
        expect(unsent(page)).to_have_count(3)
        assert len(sends.routes) == 1
        first.continue_()
        sends.take(2).continue_()
        sends.take(3).continue_()
        expect(page.locator(".message")).to_have_count(3)
    assert contents(bob, conversation_id) == ["One.", "Two.", "Three."]


def test_a_lost_answer_makes_no_second_message(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow_failures()
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "Just once.", "And then this.")
        lost = sends.take()
        lost.fetch()
        lost.abort()
        page.get_by_role("button", name="Try again").click()
        sends.take(2).continue_()
        sends.take(3).continue_()
        expect(message(page, "And then this.")).to_have_count(1)
    assert contents(bob, conversation_id) == ["Just once.", "And then this."]


def test_what_could_not_be_sent_is_back_in_its_field(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow_failures()
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "Did it arrive?")
        sends.take().fetch()
        sends.take().abort()
        expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
        expect(field_of(page)).to_have_value("Did it arrive?")
        field_of(page).press("Control+Enter")
        sends.take(2).continue_()
        expect(message(page, "Did it arrive?")).to_have_count(1)
    assert contents(bob, conversation_id) == ["Did it arrive?"]


def test_a_refused_message_comes_back_before_what_was_typed_since(
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    page: Page,
) -> None:
    browser_errors.allow(403)
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "Are we friends?")
        refused = sends.take()
        bob.put(f"/blocks/{ann.username}")
        field_of(page).press_sequentially("I hope so.")
        refused.continue_()
        expect(page.get_by_text("This cannot be delivered.")).to_be_visible()
    expect(field_of(page)).to_have_value("Are we friends?\nI hope so.")
    expect(unsent(page)).to_have_count(0)
    assert contents(ann, conversation_id) == []


def test_the_unsent_can_be_put_back(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow_failures()
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "One.", "Two.")
        field_of(page).press_sequentially("Three.")
        sends.take().abort()
        page.get_by_role("button", name="Put back all").click()
        expect(field_of(page)).to_have_value("One.\nTwo.\nThree.")
        expect(unsent(page)).to_have_count(0)
    assert contents(bob, conversation_id) == []


def busy(route: Route, status: int) -> None:
    route.fulfill(status=status, headers={"Retry-After": "1"}, body="busy")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_said(
    browser_errors: BrowserErrors,
    status: int,
    bob: SignedInUser,
    conversation_id: int,
    page: Page,
) -> None:
    browser_errors.allow(status)
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "One.", "Two.")
        busy(sends.take(), status)
        expect(unsent(page).first).to_contain_text("Waiting")
        sends.take(2).continue_()
        sends.take(3).continue_()
        expect(page.locator(".message")).to_have_count(2)
    assert contents(bob, conversation_id) == ["One.", "Two."]


def test_what_waits_is_sent_when_the_connection_is_back(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow_disconnection()
    browser_errors.allow_failures()
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "One.", "Two.")
        offline(page.context, page, is_offline=True)
        sends.take().abort()
        expect(unsent(page).first).to_contain_text("Waiting until you are online")
    offline(page.context, page, is_offline=False)
    expect(page.locator(".message")).to_have_count(2)
    assert contents(bob, conversation_id) == ["One.", "Two."]


def test_what_is_sent_offline_waits_is_cancelled_and_goes_out_in_order(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow_disconnection()
    page.goto(f"/conversations/{conversation_id}")
    offline(page.context, page, is_offline=True)
    send(page, "One.", "Two.", "Three.", "Four.")
    expect(unsent(page)).to_have_count(4)
    for row in unsent(page).all():
        expect(row).to_contain_text("Waiting until you are online")
    unsent(page).filter(has_text="Two.").get_by_role("button", name="Discard").click()
    unsent(page).filter(has_text="Three.").get_by_role(
        "button", name="Put back"
    ).click()
    expect(unsent(page)).to_have_count(2)
    expect(field_of(page)).to_have_value("Three.")
    offline(page.context, page, is_offline=False)
    expect(page.locator(".message")).to_have_count(2)
    expect(unsent(page)).to_have_count(0)
    assert contents(bob, conversation_id) == ["One.", "Four."]


def test_what_waits_outlives_a_reload_and_is_sent_once_from_any_page(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow_disconnection()
    page.goto(f"/conversations/{conversation_id}")
    # A second tab, which sends what waits as well.
    other = page.context.new_page()
    other.goto("/settings")
    page.bring_to_front()
    offline(page.context, page, is_offline=True)
    send(page, "One.", "Two.")
    expect(unsent(page)).to_have_count(2)
    page.close()
    other.context.set_offline(False)
    other.reload()
    other.goto(f"/conversations/{conversation_id}")
    expect(other.locator(".message")).to_have_count(2)
    assert contents(bob, conversation_id) == ["One.", "Two."]


def test_what_was_on_its_way_is_sent_after_the_page_was_left(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "One.", "Two.")
        sends.take()
    page.reload()
    expect(page.locator(".message")).to_have_count(2)
    expect(unsent(page)).to_have_count(0)
    assert contents(bob, conversation_id) == ["One.", "Two."]


def test_what_was_unsent_at_the_end_of_a_session_waits_for_the_next(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow(401)
    page.goto(f"/conversations/{conversation_id}")
    session = page.context.cookies()
    field_of(page).press_sequentially("After hours.")
    page.context.clear_cookies(name="sessionid")
    field_of(page).press("Control+Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert contents(bob, conversation_id) == []
    page.context.add_cookies(session)  # type: ignore[arg-type]  # what it gave
    page.goto(f"/conversations/{conversation_id}")
    expect(message(page, "After hours.")).to_have_count(1)
    assert contents(bob, conversation_id) == ["After hours."]


def test_a_reply_is_sent_as_one_and_the_next_message_is_not(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    asked = bob.say(conversation_id, "Shall we play?")
    page.goto(f"/conversations/{conversation_id}?reply={asked}")
    with hold_requests(page, SENDS) as sends:
        send(page, "You begin.", "I have black.")
        sends.take().continue_()
        sends.take(2).continue_()
        expect(page.locator(".message")).to_have_count(3)
    items = bob.get(f"/conversations/{conversation_id}/messages").json()["items"]
    parents = [item["parent_message_id"] for item in reversed(items)]
    assert parents == [None, asked, None]


def test_an_empty_second_press_changes_nothing(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    page = browse(ann, size=PHONE)
    page.goto(f"/conversations/{conversation_id}")
    field_of(page).press_sequentially("Just one.")
    page.get_by_role("button", name="Send").dblclick()
    expect(message(page, "Just one.")).to_have_count(1)
    expect(field_of(page)).to_be_focused()
    assert contents(bob, conversation_id) == ["Just one."]


def test_a_group_is_started_once_however_often_it_is_asked_for(
    bob: SignedInUser, page: Page
) -> None:
    page.goto("/conversations/new")
    page.get_by_label("Title", exact=True).fill("Walks")
    page.get_by_label("Usernames").fill(bob.username)
    with hold_requests(page, "**/conversations/new") as starts:
        start = page.get_by_role("button", name="Start the group")
        start.click()
        first = starts.take()
        start.click()
        page.get_by_label("Title", exact=True).press_sequentially(" and talks")
        first.continue_()
        expect(page.get_by_role("heading", name="Walks")).to_be_visible()
        assert len(starts.routes) == 1
    [group] = bob.get("/conversations").json()["items"]
    assert group["title"] == "Walks"


def test_an_account_is_opened_once_by_a_double_click(browse: Browse) -> None:
    page = browse()
    page.goto("/sign-up")
    page.get_by_label("Username").fill("dora-double")
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Open my account").dblclick()
    expect(page.get_by_text("No conversations yet.")).to_be_visible()


def test_an_edit_is_saved_once_and_locked_while_saving(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    sent = ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "Supper at six.", "Edit")
    field = page.locator(".in-place textarea")
    field.fill("Supper at seven.")
    with hold_requests(page, "**/edit") as saves:
        field.press("Control+Enter")
        first = saves.take()
        field.press("Control+Enter")
        field.press_sequentially(" Or eight.")
        first.continue_()
        expect(message(page, "Supper at seven.")).to_contain_text("Edited")
        assert len(saves.routes) == 1
    assert bob.get(f"/messages/{sent}").json()["content"] == "Supper at seven."


def parents_of(someone: SignedInUser, conversation_id: int) -> Sequence[int | None]:
    """What each message of the conversation answers, the oldest first."""
    items = someone.get(f"/conversations/{conversation_id}/messages").json()["items"]
    return [item["parent_message_id"] for item in reversed(items)]


def test_a_reply_is_one_however_slowly_the_server_shows_it(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    asked = bob.say(conversation_id, "Shall we play?")
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, "**/composer?reply=*", method="GET") as shows:
        message(page, "Shall we play?").hover()
        page.get_by_role("link", name="Reply", exact=True).click()
        shown = shows.take()
        send(page, "You begin.")
        expect(message(page, "You begin.")).to_have_count(1)
        with page.expect_response("**/composer?reply=*"):
            shown.continue_()
        send(page, "I have black.")
        expect(message(page, "I have black.")).to_have_count(1)
    assert parents_of(bob, conversation_id) == [None, asked, None]


def test_a_reply_that_is_cancelled_is_none_however_slow_the_server(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    asked = bob.say(conversation_id, "Shall we play?")
    page.goto(f"/conversations/{conversation_id}?reply={asked}")
    with hold_requests(page, "**/composer", method="GET") as shows:
        page.get_by_role("link", name="Cancel the reply").click()
        shown = shows.take()
        send(page, "Who has white?")
        expect(message(page, "Who has white?")).to_have_count(1)
        field_of(page).press_sequentially("It is m")
        with page.expect_response("**/composer"):
            shown.continue_()
    expect(field_of(page)).to_have_value("It is m")
    assert parents_of(bob, conversation_id) == [None, None]


def test_of_two_replies_begun_the_last_one_counts(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "Shall we play?")
    ann.say(conversation_id, "Chess?")
    last = bob.say(conversation_id, "Or walk?")
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, "**/composer?reply=*", method="GET") as shows:
        for number, text in enumerate(("Shall we play?", "Or walk?"), start=1):
            row = message(page, text)
            row.hover()
            row.get_by_role("link", name="Reply", exact=True).click()
            shows.take(number)
        shows.take(2).continue_()
        expect(page.locator(".answering")).to_contain_text("Or walk?")
        with page.expect_response("**/composer?reply=*"):
            shows.take(1).continue_()
        send(page, "Walk.")
        expect(page.locator(".message")).to_have_count(4)
    assert parents_of(bob, conversation_id)[-1] == last


def test_a_reply_that_the_server_cannot_begin_is_none(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow(503)
    bob.say(conversation_id, "Shall we play?")
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, "**/composer?reply=*", method="GET") as shows:
        message(page, "Shall we play?").hover()
        page.get_by_role("link", name="Reply", exact=True).click()
        busy(shows.take(), 503)
        expect(page.locator("#flashes")).to_contain_text("Nothing is lost")
        send(page, "To all.")
        expect(message(page, "To all.")).to_have_count(1)
    assert parents_of(bob, conversation_id) == [None, None]


def test_a_message_goes_on_when_the_page_was_not_left_after_all(
    browser_errors: BrowserErrors, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    browser_errors.allow_failures()
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "Meanwhile.")
        # A download: the browser says that it leaves, and stays.
        with page.expect_download():
            page.evaluate(
                "location.href = '/api/v1/me/export'",
            )
        sends.take().abort()
        sends.take(2).continue_()
        expect(message(page, "Meanwhile.")).to_have_count(1)
    assert contents(bob, conversation_id) == ["Meanwhile."]


def test_what_was_refused_by_a_group_that_one_is_out_of_is_shown_until_discarded(
    browser_errors: BrowserErrors, ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    browser_errors.allow(404)
    group = bob.group("Walks", ann)
    page.goto(f"/conversations/{group}")
    events_are_heard(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with hold_requests(page, SENDS) as sends:
        send(page, "Words of an hour.")
        refused = sends.take()
        remove_participant(bob, group, ann)
        expect(
            page.get_by_role("heading", name="You are no longer in this group")
        ).to_be_visible()
        refused.continue_()
        lost = page.get_by_role("region", name="A message was not sent")
        expect(lost).to_contain_text("Words of an hour.")
    asked.clear()
    page.goto("/inbox")
    expect(lost).to_contain_text("Words of an hour.")
    assert not [url for url in asked if url.endswith("/send")]
    lost.get_by_role("button", name="Discard").click()
    expect(lost).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(lost).to_have_count(0)


def test_what_was_refused_is_sent_again_by_nobody_but_its_person(
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    page: Page,
) -> None:
    browser_errors.allow(403)
    page.goto(f"/conversations/{conversation_id}")
    with hold_requests(page, SENDS) as sends:
        send(page, "One.", "Two.")
        refused = sends.take()
        bob.put(f"/blocks/{ann.username}")
        refused.continue_()
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        page.reload()
        expect(unsent(page).first).to_contain_text("Not sent")
        assert len(sends.routes) == 1
        unsent(page).first.get_by_role("button", name="Discard").click()
        expect(unsent(page)).to_have_count(1)
        sends.take(2).continue_()
        expect(field_of(page)).to_have_value("Two.")
    expect(unsent(page)).to_have_count(0)
