"""What people type, as a real browser sends and shows it."""

from typing import Final

from playwright.sync_api import Locator, Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse
from tests.browser.signed_in_users import SignedInUser

CODE: Final = "    if x:\n        y\n\nz"


def test_saving_unchanged_without_scripts_is_no_edit(
    browse: Browse, ann: SignedInUser, bob: SignedInUser
) -> None:
    message = ann.say(ann.start_direct(bob), CODE)
    page = browse(ann, scripts=False)
    page.goto(f"/messages/{message}/edit")
    expect(page.locator("textarea")).to_have_value(CODE)
    page.get_by_role("button", name="Save").click()
    shown = page.locator(f"#m{message}")
    assert shown.locator(".body").text_content() == CODE
    expect(shown.get_by_role("link", name="Edited")).to_have_count(0)
    kept = ann.get(f"/messages/{message}").json()
    assert (kept["content"], kept["edited"]) == (CODE, False)


def test_a_refused_message_comes_back_without_scripts(
    browse: Browse,
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    conversation_id: int,
) -> None:
    browser_errors.allow(422)
    page = browse(ann, scripts=False)
    page.goto(f"/conversations/{conversation_id}")
    long = "\n  two\nlines" + "😀" * 5000
    _send(page, long)
    expect(page.get_by_role("alert")).to_contain_text("at most 5,000 characters")
    # The browser's own text area has it whole, its first line's end too.
    expect(page.get_by_label("Your message")).to_have_value(long)
    fitting = "\n" * 100 + "😀\n" * 2500
    _send(page, fitting)
    expect(page.locator(".message")).to_have_count(1)
    [sent] = ann.get(f"/conversations/{conversation_id}/messages").json()["items"]
    assert sent["content"] == fitting.strip()


def test_who_was_signed_out_sends_the_same_text_after_signing_in(
    browse: Browse,
    browser_errors: BrowserErrors,
    ann: SignedInUser,
    conversation_id: int,
) -> None:
    browser_errors.allow(403)
    page = browse(ann, scripts=False)
    page.goto(f"/conversations/{conversation_id}")
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    _send(page, CODE)
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value(CODE)
    page.context.add_cookies(
        [each for each in cookies if each["name"] == "sessionid"]  # type: ignore[misc]  # the stubs name two kinds of cookie
    )
    page.get_by_role("button", name="Send it again").click()
    assert page.locator(".message .body").text_content() == CODE


def test_a_bidi_control_does_not_reverse_an_address(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    ann.say(conversation_id, "\u202ehttps://example.com/a")
    ann.say(conversation_id, "https://example.com/a")
    page = browse(bob)
    page.goto(f"/conversations/{conversation_id}")
    turned, plain = (
        page.locator(".message a", has_text="example").nth(i) for i in (0, 1)
    )
    # Where the address begins is drawn to the left of where it ends, in both.
    assert _first_letter_is_left(turned) is _first_letter_is_left(plain) is True


def test_a_text_is_counted_as_the_server_does(conversation_id: int, page: Page) -> None:
    page.goto(f"/conversations/{conversation_id}")
    field = page.get_by_label("Your message")
    counter = page.locator("output.count")
    field.fill("😀" * 4000)
    expect(counter).to_have_count(0)
    field.fill("\n\n" + "😀" * 5000 + "\n ")
    expect(counter).to_have_text("5,000 of 5,000 characters")
    assert field.evaluate("field => field.validity.valid")
    field.fill("😀" * 5001)
    expect(counter).to_have_text("5,001 of 5,000 characters")
    assert not field.evaluate("field => field.validity.valid")
    field.fill("short")
    expect(counter).to_have_count(0)
    assert field.evaluate("field => field.validity.valid")


def _send(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def _first_letter_is_left(link: Locator) -> bool:
    measured: bool = link.evaluate(
        """link => {
            const place = (start, end) => {
                const range = document.createRange();
                range.setStart(link.firstChild, start);
                range.setEnd(link.firstChild, end);
                return range.getBoundingClientRect().left;
            };
            const length = link.firstChild.length;
            return place(0, 1) < place(length - 1, length);
        }"""
    )
    return measured
