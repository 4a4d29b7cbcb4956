# ruff: noqa: RUF001  # Letters of other scripts are what this is about.
"""The same pages on other keyboards, in other colours, on paper, by another clock."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse, NewPerson
from tests.browser.demo_pages import ERRORS, SIGNED_OUT_PAGES
from tests.browser.signed_in_users import SignedInUser

# How a layout reports a key: what it writes, and where it is.
KEYS = {
    "latin": ("j", "KeyJ", 0),
    "caps-lock": ("J", "KeyJ", 0),
    "russian": ("о", "KeyJ", 0),
    "russian-caps-lock": ("О", "KeyJ", 0),
    "greek": ("ξ", "KeyJ", 0),
    "arabic": ("ت", "KeyJ", 0),
    "hebrew": ("ח", "KeyJ", 0),
    "thai": ("่", "KeyJ", 0),
    "hindi": ("र", "KeyJ", 0),
    "korean": ("ㅓ", "KeyJ", 0),
    "dvorak": ("j", "KeyC", 0),
}
ALT, CTRL, SHIFT = 1, 2, 8
OTHERS = {
    "dvorak-h-where-j-is": ("h", "KeyJ", 0),
    "shift": ("J", "KeyJ", SHIFT),
    "russian-shift": ("О", "KeyJ", SHIFT),
    "russian-control": ("о", "KeyJ", CTRL),
    "alt": ("j", "KeyJ", ALT),
    "turkish-f": ("ı", "KeyJ", 0),
    "dead": ("Dead", "KeyJ", 0),
    "sign": ("'", "KeyJ", 0),
}


def press(page: Page, key: str, code: str, modifiers: int, *, number: int = 74) -> None:
    wire = page.context.new_cdp_session(page)
    said = {"key": key, "code": code, "modifiers": modifiers}
    said |= {"windowsVirtualKeyCode": number}
    for kind in ("rawKeyDown", "keyUp"):
        wire.send("Input.dispatchKeyEvent", {"type": kind, **said})


@pytest.fixture
def read_by(browse: Browse, new_person: NewPerson) -> Page:
    ann, bob = new_person("Ann"), new_person("Bob")
    conversation_id = ann.start_direct(bob)
    bob.say(conversation_id, "Shall we play?")
    page = browse(ann)
    page.goto(f"/conversations/{conversation_id}")
    expect(page.locator(".message")).to_have_count(1)
    return page


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_works_on_every_layout(read_by: Page, key: tuple[str, str, int]) -> None:
    press(read_by, *key)
    expect(read_by.locator(".message")).to_be_focused()


@pytest.mark.parametrize("key", OTHERS.values(), ids=OTHERS)
def test_what_is_another_key_does_nothing(
    read_by: Page, key: tuple[str, str, int]
) -> None:
    press(read_by, *key)
    expect(read_by.locator(".message")).not_to_be_focused()


def test_a_key_that_an_input_method_has_taken_does_nothing(read_by: Page) -> None:
    press(read_by, "Process", "KeyJ", 0, number=229)
    press(read_by, "о", "KeyJ", 0, number=229)
    expect(read_by.locator(".message")).not_to_be_focused()


@pytest.mark.parametrize(
    ("key", "code"), [("с", "KeyC"), ("C", "KeyC"), ("ؤ", "KeyC"), ("ב", "KeyC")]
)
def test_one_begins_to_write_by_a_key(read_by: Page, key: str, code: str) -> None:
    press(read_by, key, code, 0, number=67)
    expect(read_by.get_by_label("Your message")).to_be_focused()


@pytest.mark.parametrize(("key", "code"), [("/", "Digit7"), ("ظ", "Slash")])
def test_one_begins_to_search_by_a_key(
    browse: Browse, new_person: NewPerson, key: str, code: str
) -> None:
    page = browse(new_person("Ann"))
    page.goto("/people")
    press(page, key, code, SHIFT if key == "/" else 0, number=191)
    expect(page.locator("#q")).to_be_focused()


# What a focus changes that forced colours still draw, of an element and what holds it:
# not the colour of an edge, which is the same for all.
LOOKS = """element => {
    const looks = [];
    for (let each = element; each && each !== document.body; each = each.parentElement) {
        const style = getComputedStyle(each), drawn = style.outlineStyle !== "none";
        looks.push(drawn ? `${style.outlineStyle} ${style.outlineWidth}` : "no outline");
        looks.push(`${style.borderStyle} ${style.borderWidth}`);
    }
    return looks.join();
}"""
FOCUSABLE = """() => [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), textarea, select, summary, [tabindex="0"]'
    )].filter((each) => each.checkVisibility() && !each.disabled)"""


def in_forced_colours(page: Page) -> Page:
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    return page


def unmarked(page: Page) -> list[str]:
    """What takes the focus of the keyboard and does not show it."""
    found: list[str] = page.evaluate(
        f"""() => {{
            const looks = {LOOKS}, all = ({FOCUSABLE})();
            return all.filter((each) => {{
                document.activeElement?.blur();
                const before = looks(each);
                each.focus({{ focusVisible: true }});
                return document.activeElement === each && looks(each) === before;
            }}).map((each) => each.outerHTML.slice(0, 120));
        }}"""
    )
    return found


@pytest.mark.parametrize(
    "name",
    [
        *SIGNED_OUT_PAGES,
        *("conversations", "start_conversation", "conversation", "reply", "edit"),
        *("delete", "thread", "history", "receipts", "inbox", "notifications"),
        *("people_found", "blocked", "group_owned", "settings", "password"),
        *("sessions", "tokens", "delete_user"),
    ],
)
def test_every_focus_shows_in_forced_colours(
    browse: Browse,
    browser_errors: BrowserErrors,
    maya: SignedInUser,
    paths: Mapping[str, str],
    screenshots: Path,
    name: str,
) -> None:
    if name in ERRORS:
        browser_errors.allow(ERRORS[name])
    page = in_forced_colours(browse(None if name in SIGNED_OUT_PAGES else maya))
    page.goto(paths[name])
    # What scripts fetch beside it.
    expect(page.locator("[data-fill]:visible")).to_have_count(0)
    assert unmarked(page) == []
    page.screenshot(path=screenshots / f"{name}-forced.png", full_page=True)


def test_what_is_ones_own_or_unread_or_here_shows_in_forced_colours(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    ann.say(conversation_id, "Mine.")
    bob.say(conversation_id, "Yours.")
    page = in_forced_colours(browse(ann))
    page.goto("/inbox")
    expect(page.locator("main .row.unread")).to_be_visible()
    border = "element => getComputedStyle(element).borderInlineStartColor"
    outline = "element => getComputedStyle(element).outlineStyle"
    text = page.locator("body").evaluate("each => getComputedStyle(each).color")
    ground = page.locator("body").evaluate(
        "each => getComputedStyle(each).backgroundColor"
    )
    assert page.locator(".mail").evaluate(border) not in {text, ground}
    assert page.locator(".navigation [aria-current]").evaluate(outline) == "solid"
    page.goto(f"/conversations/{conversation_id}")
    mine = page.locator(".message", has_text="Mine.")
    yours = page.locator(".message", has_text="Yours.")
    assert mine.evaluate(border) != yours.evaluate(border)


def sheets(page: Page) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4")))


def test_a_whole_conversation_is_printed(
    browse: Browse,
    screenshots: Path,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
) -> None:
    for number in range(50):
        ann.say(
            conversation_id, f"Number {number}.\n" + "It goes on for a while. " * 20
        )
    page = browse(bob, dark=True)
    page.goto(f"/conversations/{conversation_id}")
    expect(page.locator(".message")).to_have_count(50)
    assert sheets(page) > 5
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".message").first).to_be_visible()
    whole = page.locator("#scroll").evaluate(
        "each => each.scrollHeight <= each.clientHeight"
        " && document.querySelector('.app').getBoundingClientRect().height"
        "     >= each.scrollHeight"
    )
    assert whole
    for hidden in ("#content", ".navigation", ".actions", ".icon-button"):
        for each in page.locator(hidden).all():
            expect(each).to_be_hidden()
    assert page.locator("body").evaluate(
        "each => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor]"
    ) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    page.screenshot(path=screenshots / "conversation-printed.png", full_page=True)


def test_paper_has_exact_times(
    ann: SignedInUser, bob: SignedInUser, page: Page
) -> None:
    bob.say(bob.start_direct(ann), "Hello.")
    page.goto("/notifications")
    time = page.locator("main time").first
    expect(time).to_have_text("now")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(time).to_contain_text(re.compile(r"\d{4} at \d\d:\d\d"))
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(time).to_have_text("now")


@pytest.mark.parametrize(
    "wrong", [timedelta(minutes=-3), timedelta(hours=-30), timedelta(hours=30)], ids=str
)
def test_now_is_now_by_whatever_clock(
    wrong: timedelta, bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "Hello.")
    page.clock.install(time=datetime.now(UTC) + wrong)
    page.goto("/notifications")
    expect(page.locator("main time").first).to_have_text("now")
    page.goto("/conversations")
    expect(page.locator("main time").first).to_have_text("now")
    page.goto(f"/conversations/{conversation_id}")
    expect(page.locator(".day")).to_have_text("Today")
    page.get_by_label("Your message").fill("Good morning.")
    page.get_by_label("Your message").press("Control+Enter")
    expect(page.locator(".pane time").first).to_have_text("now")
    page.get_by_role("link", name="Conversations", exact=True).click()
    expect(page.locator("main time").first).to_have_text("now")


def test_new_and_the_day_are_one_line(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    scripts: bool,
) -> None:
    bob.say(conversation_id, "Good morning.")
    page = browse(ann, scripts=scripts)
    page.goto(f"/conversations/{conversation_id}")
    expect(page.locator(".unread-line span")).to_be_visible()
    # All at one moment: a script draws the line of the day anew.
    day, new, first = page.evaluate(
        """() => [".day span", ".unread-line span", ".message"].map(
            (place) => document.querySelector(place).getBoundingClientRect().toJSON()
        )"""
    )
    assert abs(day["y"] - new["y"]) < 1
    assert day["right"] < new["x"]
    assert new["bottom"] <= first["y"]


def test_namesakes_are_shown_with_usernames(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, one, two = new_person("Ann"), new_person("Robin"), new_person("robin")
    group = ann.group("Walks", one, two)
    said = one.say(group, "The left path.")
    two.say(group, "No, the right one.", reply_to=said)
    for each in (one, two):
        each.say(each.start_direct(ann), "Where are you?")
    page = browse(ann)
    for path, rows in {
        "/notifications": "main .mail",
        "/inbox": "main .mail",
        "/conversations": "main a.row",
        f"/conversations/{group}": ".message",
        f"/messages/{said}/thread": ".message",
    }.items():
        page.goto(path)
        for robin in (one, two):
            row = page.locator(rows, has_text=f"@{robin.username}")
            expect(row.first).to_be_visible()
    page.goto(f"/conversations/{group}")
    expect(page.locator(".answers")).to_contain_text(f"@{one.username}")
    page.goto(f"/conversations/{group}?reply={said}")
    expect(page.locator(".answering")).to_contain_text(f"@{one.username}")
    two.put(f"/conversations/{group}/typing")
    expect(page.locator("#typing")).to_contain_text(f"@{two.username} is writing")
    page.goto(f"/messages/{said}/history")
    expect(page.locator(".lead")).to_contain_text(f"@{one.username}")


def test_unique_display_names_are_shown_alone(
    bob: SignedInUser, conversation_id: int, page: Page
) -> None:
    bob.say(conversation_id, "Hello.")
    page.goto(f"/conversations/{conversation_id}")
    expect(page.locator(".message .by b")).to_have_text("Bob")
    expect(page.locator(".message .by bdi")).to_have_attribute(
        "title", f"@{bob.username}"
    )
