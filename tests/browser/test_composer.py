"""Which key sends, and what completes a mention."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import violations
from tests.browser.conftest import PHONE, Browse, NewPerson
from tests.browser.held_requests import hold_requests
from tests.browser.pages import in_main, message, open_menu
from tests.browser.signed_in_users import SignedInUser

OPTIONS = "**/mentions?q=*"

# As browsers tell of a key that an input method handles.
COMPOSED: Final = ({"isComposing": True}, {"keyCode": 229})


def field_of(page: Page) -> Locator:
    return page.locator("#content")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="People to mention").get_by_role("option")


def contents(someone: SignedInUser, conversation_id: int) -> Sequence[str]:
    items = someone.get(f"/conversations/{conversation_id}/messages").json()["items"]
    return [item["content"] for item in reversed(items)]


@pytest.fixture
def group_id(ann: SignedInUser, bob: SignedInUser, new_person: NewPerson) -> int:
    """Of Ann, Bob, and two whose names are in other scripts."""
    others = [bob, new_person("Zoe"), new_person("Taro")]
    for person, name in zip(others, ("Bob", "Zoë Łukasz", "山田太郎"), strict=True):
        person.patch("/me", {"display_name": name})
    return ann.group("Walks", *others)


@pytest.mark.parametrize(
    ("setting", "sends", "breaks"),
    [("enter", "Enter", "Shift+Enter"), ("shift_enter", "Shift+Enter", "Enter")],
)
def test_one_key_sends_and_the_other_breaks_the_line_as_one_has_set_it(
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    page: Page,
    setting: str,
    sends: str,
    breaks: str,
) -> None:
    page.goto("/settings")
    page.get_by_label("Send messages by").select_option(setting)
    page.get_by_role("button", name="Save").click()
    expect(in_main(page, "Your settings are saved.")).to_be_visible()
    page.goto(f"/conversations/{conversation_id}")
    hint = f"{sends.replace('+', ' and ')} send"
    expect(page.get_by_text(re.compile(hint))).to_be_visible()
    field_of(page).press_sequentially("One,")
    field_of(page).press(breaks)
    field_of(page).press_sequentially("two.")
    field_of(page).press(sends)
    expect(message(page, "two.")).to_have_count(1)
    expect(field_of(page)).to_have_value("")
    field_of(page).press_sequentially("Three.")
    field_of(page).press("Control+Enter")
    expect(message(page, "Three.")).to_have_count(1)
    assert contents(bob, conversation_id) == ["One,\ntwo.", "Three."]


def test_the_same_key_saves_an_edit(
    ann: SignedInUser, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    ann.say(conversation_id, "Supper at six.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "Supper at six.", "Edit")
    page.locator(".in-place textarea").fill("Supper at seven.")
    page.locator(".in-place textarea").press("Enter")
    expect(message(page, "Supper at seven.")).to_contain_text("Edited")
    assert contents(bob, conversation_id) == ["Supper at seven."]


@pytest.mark.parametrize("how", COMPOSED, ids=str)
def test_a_key_of_an_input_method_sends_nothing(
    bob: SignedInUser, conversation_id: int, page: Page, how: Mapping[str, object]
) -> None:
    page.goto(f"/conversations/{conversation_id}")
    field_of(page).fill("日本")
    goes_on: bool = field_of(page).evaluate(
        """(field, how) => field.dispatchEvent(new KeyboardEvent("keydown",
            {key: "Enter", bubbles: true, cancelable: true, ...how}))""",
        how,
    )
    # Nobody prevented what the input method does.
    assert goes_on
    expect(field_of(page)).to_have_value("日本")
    field_of(page).press("Enter")
    expect(message(page, "日本")).to_have_count(1)
    assert contents(bob, conversation_id) == ["日本"]


def test_on_a_touch_keyboard_enter_breaks_the_line(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    page = browse(ann, size=PHONE, touch=True)
    page.goto(f"/conversations/{conversation_id}")
    expect(page.locator(".send-hint")).to_be_hidden()
    field_of(page).press_sequentially("One,")
    field_of(page).press("Enter")
    field_of(page).press_sequentially("two.")
    page.get_by_role("button", name="Send").tap()
    expect(message(page, "two.")).to_have_count(1)
    assert contents(bob, conversation_id) == ["One,\ntwo."]


@pytest.mark.parametrize(
    ("typed", "name"), [("@ob", "Bob"), ("@kas", "Zoë Łukasz"), ("@太", "山田太郎")]
)
@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_any_part_of_a_name_completes_a_mention(
    bob: SignedInUser, group_id: int, page: Page, typed: str, name: str, key: str
) -> None:
    page.goto(f"/conversations/{group_id}")
    field_of(page).press_sequentially(f"Hello {typed}")
    expect(options(page)).to_have_count(1)
    expect(options(page)).to_contain_text(name)
    field_of(page).press(key)
    expect(options(page)).to_have_count(0)
    expect(field_of(page)).to_be_focused()
    expect(field_of(page)).to_have_value(re.compile(r"^Hello @[\w-]+ $"))
    field_of(page).press("Enter")
    mention = message(page, "Hello").locator("a.mention")
    mention.click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_keys_choose_among_several_and_escape_leaves_the_text(
    page: Page, group_id: int
) -> None:
    page.goto(f"/conversations/{group_id}")
    field = field_of(page)
    field.press_sequentially("@")
    expect(options(page)).to_have_count(3)
    chosen = page.locator("[role=option][aria-selected=true]")
    first = options(page).first.get_attribute("id")
    expect(field).to_have_attribute("aria-activedescendant", first or "")
    field.press("ArrowUp")
    last = options(page).last.get_attribute("id")
    expect(field).to_have_attribute("aria-activedescendant", last or "")
    field.press("ArrowDown")
    expect(chosen).to_have_attribute("id", first or "")
    assert violations(page) == []
    field.press("Escape")
    expect(options(page)).to_have_count(0)
    expect(field).to_have_value("@")
    field.press_sequentially("b")
    expect(options(page)).to_have_count(0)
    field.press_sequentially(" @bo")
    expect(options(page)).to_have_count(1)


def test_a_press_takes_an_option_and_goes_on_writing(page: Page, group_id: int) -> None:
    page.goto(f"/conversations/{group_id}")
    field_of(page).press_sequentially("Ask @")
    options(page).filter(has_text="Bob").click()
    expect(field_of(page)).to_have_value(re.compile(r"^Ask @bob-\w+ $"))
    expect(field_of(page)).to_be_focused()


def test_within_a_word_nobody_is_offered_and_nothing_is_asked(
    page: Page, group_id: int
) -> None:
    page.goto(f"/conversations/{group_id}")
    with hold_requests(page, OPTIONS, method="GET") as asked:
        field_of(page).press_sequentially("bob@example, a/@bob")
        field_of(page).press_sequentially(" @bo")
        asked.take().continue_()
        expect(options(page)).to_have_count(1)
        # Those before were not asked for.
        assert len(asked.routes) == 1


def test_what_was_typed_last_is_offered_however_late_answers_come(
    page: Page, group_id: int
) -> None:
    page.goto(f"/conversations/{group_id}")
    with hold_requests(page, "**/mentions?q=z", method="GET") as asked:
        field_of(page).press_sequentially("@z")
        early = asked.take()
        field_of(page).press("Backspace")
        field_of(page).press_sequentially("bo")
        expect(options(page)).to_have_text(re.compile("Bob"))
        with page.expect_response("**/mentions?q=z"):
            early.continue_()
        expect(options(page)).to_have_text(re.compile("Bob"))


def test_a_mention_of_oneself_is_told_apart(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, group_id: int
) -> None:
    ann.say(group_id, f"@{bob.username} and @nobody")
    theirs, others = browse(bob), browse(ann)
    colours = []
    for page in (theirs, others):
        page.goto(f"/conversations/{group_id}")
        expect(page.locator("a.mention")).to_have_text([f"@{bob.username}"])
        colours.append(
            page.locator("a.mention").evaluate(
                "(link) => getComputedStyle(link).backgroundColor"
            )
        )
        assert violations(page) == []
    assert colours[0] != colours[1]


@pytest.mark.parametrize("entry", ["Edit", "Delete"])
def test_changing_the_first_message_keeps_its_day(
    ann: SignedInUser, conversation_id: int, page: Page, entry: str
) -> None:
    ann.say(conversation_id, "The first.")
    ann.say(conversation_id, "The second.")
    page.goto(f"/conversations/{conversation_id}")
    open_menu(page, "The first.", entry)
    expect(page.locator(".message.editing")).to_be_visible()
    line = page.locator(".day")
    expect(line).to_have_text(["Today"])
    assert line.evaluate("(line) => line.nextElementSibling.matches('.editing')")
