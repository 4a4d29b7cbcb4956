"""A thread that one lives in: who is answered, what is new, and where one reads."""

import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Browse
from tests.browser.pages import message, wait_until
from tests.browser.signed_in_users import SignedInUser

FORKED = 12


@pytest.fixture
def root(ann: SignedInUser, bob: SignedInUser, conversation_id: int) -> int:
    """A long branch, and then the main talk, as long; a phone shows one at a time."""
    root = bob.say(conversation_id, "Where do we eat?")
    for talk in ("Aside", "Main"):
        above = root
        for number in range(FORKED):
            text = f"{talk} {number}. " + "And so on. " * 24
            above = bob.say(conversation_id, text, reply_to=above)
    ann.put(f"/conversations/{conversation_id}/read", {"up_to_sequence": 1})
    return root


def unread(ann: SignedInUser) -> set[int]:
    """The sequences of what she has not read."""
    return {each["sequence"] for each in ann.get("/inbox?limit=200").json()["items"]}


def parent_of(ann: SignedInUser, conversation_id: int, content: str) -> str:
    items = ann.get(f"/conversations/{conversation_id}/messages").json()["items"]
    by_id = {each["id"]: each["content"] for each in items}
    (sent,) = (each for each in items if each["content"] == content)
    return str(by_id[sent["parent_message_id"]])


def test_the_composer_answers_the_branch_one_looks_at(
    browse: Browse, ann: SignedInUser, conversation_id: int, root: int
) -> None:
    page = browse(ann, size=PHONE, touch=True)
    page.goto(f"/messages/{root}/thread")
    last = f"Aside {FORKED - 1}."
    message(page, "Aside 3.").scroll_into_view_if_needed()
    expect(page.locator(".answering")).to_contain_text(last)
    field = page.get_by_label("Your reply")
    field.fill("To the aside.")
    # What somebody writes stays an answer to what they looked at.
    message(page, f"Main {FORKED - 1}.").scroll_into_view_if_needed()
    expect(page.locator(".answering")).to_contain_text(last)
    page.get_by_role("button", name="Send").click()
    expect(message(page, "To the aside.")).to_be_in_viewport()
    assert parent_of(ann, conversation_id, "To the aside.").startswith(last)
    # And what follows answers that: no fork.
    field.fill("And again.")
    page.get_by_role("button", name="Send").click()
    expect(message(page, "And again.")).to_be_in_viewport()
    assert parent_of(ann, conversation_id, "And again.") == "To the aside."


def test_the_next_unread_is_a_press_away_and_what_was_passed_stays_unread(
    browse: Browse, ann: SignedInUser, root: int
) -> None:
    page = browse(ann, size=PHONE, touch=True)
    page.goto(f"/messages/{root}/thread")
    to_next = page.locator("[data-next-unread]")
    branch = page.locator(".branch > details > summary")
    expect(branch).to_contain_text("unread")
    wait_until(page, lambda: len(unread(ann)) < 2 * FORKED)
    expect(to_next).to_contain_text(re.compile(r"\d+ new"))
    to_next.press("Enter")
    row = page.locator(".message:focus")
    expect(row).to_be_in_viewport()
    sequence = int(row.get_attribute("data-sequence") or 0)
    wait_until(page, lambda: sequence not in unread(ann))
    expect(row).not_to_have_class("new")
    # What stands further down was on no screen, nor was what a jump passes.
    page.goto(f"/messages/{root}/thread#replies")
    message(page, f"Main {FORKED - 1}.").scroll_into_view_if_needed()
    last = 2 * FORKED + 1
    wait_until(page, lambda: last not in unread(ann))
    assert unread(ann) >= set(range(FORKED - 1, FORKED + 5))


def test_where_one_reads_stays_while_others_write_above(
    browse: Browse,
    bob: SignedInUser,
    ann: SignedInUser,
    root: int,
    conversation_id: int,
) -> None:
    page = browse(ann, size=PHONE)
    page.goto(f"/messages/{root}/thread")
    row = message(page, "Main 6.")
    row.evaluate("row => row.scrollIntoView({block: 'center'})")
    items = ann.get(f"/conversations/{conversation_id}/messages").json()["items"]
    (aside,) = (
        each["id"]
        for each in items
        if each["content"].startswith(f"Aside {FORKED - 1}.")
    )
    before = row.bounding_box()
    bob.say(conversation_id, "Further up.", reply_to=aside)
    expect(message(page, "Further up.")).to_have_count(1)
    after = row.bounding_box()
    assert before
    assert after
    assert after["y"] == pytest.approx(before["y"], abs=2)


def test_days_never_go_back_in_a_thread_and_an_earlier_message_names_its_own(
    browse: Browse, maya: SignedInUser, paths: Mapping[str, str]
) -> None:
    page = browse(maya)
    page.goto(paths["thread"])
    days = page.locator("#thread .day")
    expect(days).to_have_count(2)
    # They were filled in when the tests began, which may be before midnight.
    expect(days.last).to_have_text(re.compile("^(Today|Yesterday)$"))
    # Of another branch, and of the day before that line.
    earlier = message(page, "I am in as well").locator(".by time")
    expect(earlier).to_have_text(re.compile(r"^\d+ \w+, \d\d:\d\d$"))
    today = message(page, "My sister is coming!").locator(".by time")
    expect(today).to_have_text(re.compile(r"^\d\d:\d\d$"))
