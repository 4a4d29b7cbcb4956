"""Layout of buttons and of messages, and contrast of colours."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import DESKTOP, PHONE, Browse, NewPerson
from tests.browser.held_requests import offline
from tests.browser.pages import message
from tests.browser.signed_in_users import SignedInUser

# WCAG 2.2: of what is not text (1.4.11), and of text (1.4.3).
SEEN, READ = 3, 4.5
A_FEW_PIXELS = 8

# How far apart the pieces of a button's text stand at most.
GAP = """button => {
    const range = document.createRange();
    const walk = document.createTreeWalker(button, NodeFilter.SHOW_TEXT);
    const boxes = [];
    while (walk.nextNode()) {
        if (walk.currentNode.parentElement.matches(".hidden-text")) continue;
        range.selectNodeContents(walk.currentNode);
        boxes.push(...range.getClientRects());
    }
    boxes.sort((a, b) => a.left - b.left);
    let end = boxes[0].right, gap = 0;
    for (const box of boxes) {
        gap = Math.max(gap, box.left - end);
        end = Math.max(end, box.right);
    }
    return gap;
}"""

CONTRASTS = """() => {
    const numbers = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const light = (color) => numbers(color)
        .map((each) => each / 255)
        .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
        .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
    const contrast = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const chosen = getComputedStyle(document.querySelector(".body"), "::selection");
    const root = getComputedStyle(document.documentElement);
    const made = document.createElement("i");
    document.body.append(made);
    const around = ["--surface", "--paper", "--tint"].map((name) => {
        made.style.color = root.getPropertyValue(name);
        return contrast(chosen.backgroundColor, getComputedStyle(made).color);
    });
    made.remove();
    return {seen: Math.min(...around), read: contrast(chosen.backgroundColor, chosen.color)};
}"""


@pytest.mark.parametrize("dark", [False, True])
def test_a_selection_stands_out(
    browse: Browse, ann: SignedInUser, conversation_id: int, *, dark: bool
) -> None:
    ann.say(conversation_id, "Supper at six.")
    page = browse(ann, dark=dark)
    page.goto(f"/conversations/{conversation_id}")
    contrasts = page.evaluate(CONTRASTS)
    assert contrasts["seen"] >= SEEN
    assert contrasts["read"] >= READ


def test_the_buttons_about_a_person_are_lines_of_words(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob = new_person("Ann"), new_person("Ben")
    page = browse(ann, size=PHONE)
    page.goto(f"/conversations/{ann.group('Walks', bob)}/details")
    page.locator(".person", has_text=bob.username).locator("summary").click()
    for name in ("Hand the group over to", "from the group"):
        assert gap_in(page.locator("button:visible", has_text=name)) < A_FEW_PIXELS


def gap_in(button: Locator) -> float:
    expect(button).to_be_visible()
    gap: float = button.evaluate(GAP)
    return gap


# Where a message's actions lie over a line of its text, name or time.
COVERED = """row => {
    const actions = row.querySelector(".actions").getBoundingClientRect();
    const range = document.createRange(), covered = [];
    const walk = document.createTreeWalker(row.querySelector(".says"), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        range.selectNodeContents(walk.currentNode);
        const parent = walk.currentNode.parentElement;
        if (!parent.checkVisibility() || getComputedStyle(parent).clipPath !== "none") continue;
        // What is cut off is not seen.
        const cut = [row.querySelector(".says"), parent.closest(".answers a")].filter(Boolean);
        const end = Math.min(...cut.map((each) => each.getBoundingClientRect().right));
        for (const box of range.getClientRects()) {
            const apart = Math.min(box.right, end) <= actions.left + 1 || box.left >= actions.right - 1
                || box.bottom <= actions.top + 1 || box.top >= actions.bottom - 1;
            if (!apart) covered.push(walk.currentNode.textContent);
        }
    }
    return covered;
}"""
LONG = "A sentence that is long enough for several lines on any screen. " * 6


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_actions_cover_no_text(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    conversation_id: int,
    size: tuple[int, int],
    *,
    touch: bool,
) -> None:
    root = bob.say(conversation_id, LONG)
    bob.say(conversation_id, f"Goes on. {LONG}")
    ann.say(conversation_id, f"Answers. {LONG}", reply_to=root)
    ann.say(conversation_id, "Short.")
    page = browse(ann, size=size, touch=touch)
    page.goto(f"/conversations/{conversation_id}")
    rows = page.locator("#scroll .message")
    expect(rows).to_have_count(4)
    for row in rows.all():
        row.scroll_into_view_if_needed()
        if not touch:
            row.hover()
        expect(row.locator(".actions")).to_have_css("opacity", "1")
        assert row.evaluate(COVERED) == []


def test_actions_in_the_side_panel_cover_no_text(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    root = bob.say(conversation_id, "Shall we play?")
    first = bob.say(conversation_id, LONG, reply_to=root)
    ann.say(conversation_id, LONG, reply_to=first)
    ann.say(conversation_id, LONG, reply_to=root)
    page = browse(ann)
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_role("link", name="2 replies").click()
    rows = page.locator("#side .replies .message")
    expect(rows).to_have_count(3)
    for row in rows.all():
        row.hover()
        expect(row.locator(".actions")).to_have_css("opacity", "1")
        assert row.evaluate(COVERED) == []


def test_what_closes_the_keys_covers_none_of_them(
    browse: Browse, ann: SignedInUser
) -> None:
    page = browse(ann)
    page.goto("/conversations")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    close = box_of(dialog.get_by_role("button", name="Close"))
    key = box_of(dialog.locator("kbd").first)
    assert close["y"] + close["height"] <= key["y"]


def test_what_opens_a_question_stays_where_it_was(
    browse: Browse, new_person: NewPerson
) -> None:
    ann, bob = new_person("Ann"), new_person("Bob")
    page = browse(ann)
    page.goto(f"/people/@{bob.username}")
    opens = page.locator("summary", has_text="Block")
    before = box_of(opens)
    opens.click()
    expect(page.get_by_role("button", name="Block Bob")).to_be_visible()
    assert box_of(opens) == before


def test_the_buttons_about_what_is_not_sent_share_a_line_on_a_phone(
    browser_errors: BrowserErrors,
    browse: Browse,
    ann: SignedInUser,
    conversation_id: int,
) -> None:
    browser_errors.allow_disconnection()
    page = browse(ann, size=PHONE)
    page.goto(f"/conversations/{conversation_id}")
    offline(page.context, page, is_offline=True)
    page.locator("#content").fill("Supper at six.")
    page.get_by_role("button", name="Send").click()
    row = page.locator(".unsent")
    buttons = [row.get_by_role("button", name=name) for name in ("Put back", "Discard")]
    back, discard = (box_of(button) for button in buttons)
    assert back["y"] == discard["y"]


def box_of(element: Locator) -> FloatRect:
    box = element.bounding_box()
    assert box
    return box


def test_actions_are_reached_by_keys_and_by_touch(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    bob.say(conversation_id, "Shall we play?")
    page = browse(ann)
    page.goto(f"/conversations/{conversation_id}")
    row = message(page, "Shall we play?")
    expect(row.locator(".actions")).to_have_css("opacity", "0")
    row.get_by_role("link", name="Reply").focus()
    expect(row.locator(".actions")).to_have_css("opacity", "1")
    page = browse(ann, size=PHONE, touch=True)
    page.goto(f"/conversations/{conversation_id}")
    row = message(page, "Shall we play?")
    row.get_by_label("More about this message").tap()
    row.get_by_role("link", name="Reply").tap()
    expect(page.get_by_label("Your reply")).to_be_focused()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_every_message_shows_its_time(
    browse: Browse,
    bob: SignedInUser,
    ann: SignedInUser,
    conversation_id: int,
    size: tuple[int, int],
    *,
    scripts: bool,
) -> None:
    for content in ("One.", "Two.", "Three."):
        bob.say(conversation_id, content)
    page = browse(ann, size=size, scripts=scripts)
    page.goto(f"/conversations/{conversation_id}")
    times = page.locator("#scroll .message time")
    expect(times).to_have_count(3)
    for time in times.all():
        expect(time).to_be_visible()
        expect(time).to_have_text(re.compile(r"^\d\d:\d\d$"))
        assert time.bounding_box()["width"] > 20  # type: ignore[index]  # visible


def test_ones_own_messages_are_told_apart_by_no_ground(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    ann.say(conversation_id, "Mine.")
    bob.say(conversation_id, "Yours.")
    page = browse(ann)
    page.goto(f"/conversations/{conversation_id}")
    page.mouse.move(0, 0)
    mine, yours = message(page, "Mine."), message(page, "Yours.")
    style = "(row, name) => getComputedStyle(row)[name]"
    assert mine.evaluate(style, "backgroundColor") == yours.evaluate(
        style, "backgroundColor"
    )
    assert mine.evaluate(style, "boxShadow") != yours.evaluate(style, "boxShadow")
    expect(mine.get_by_text("you", exact=True)).to_be_visible()


SURFACES = r"""() => {
    const light = (color) => color.match(/[\d.]+/g).slice(0, 3).map(Number)
        .map((each) => each / 255)
        .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
        .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
    const made = document.body.appendChild(document.createElement("i"));
    const of = (name) => {
        made.style.color = `var(--${name})`;
        return light(getComputedStyle(made).color);
    };
    const contrast = (one, other) => {
        const [low, high] = [of(one), of(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    return Object.fromEntries(
        [["rail", "list"], ["list", "paper"], ["paper", "surface"], ["line", "paper"], ["line", "list"]]
            .map(([one, other]) => [`${one} ${other}`, contrast(one, other)])
    );
}"""


def test_dark_surfaces_separate(browse: Browse, ann: SignedInUser) -> None:
    page = browse(ann, dark=True)
    page.goto("/settings")
    contrasts = page.evaluate(SURFACES)
    apart = {name: each for name, each in contrasts.items() if "line" not in name}
    lines = {name: each for name, each in contrasts.items() if "line" in name}
    assert min(apart.values()) >= 1.09, contrasts
    assert min(lines.values()) >= 1.5, contrasts


def test_the_colours_of_avatars_differ_and_are_read(
    browse: Browse, ann: SignedInUser
) -> None:
    page = browse(ann)
    page.goto("/settings")
    found: list[str] = page.evaluate(
        """() => [...Array(12).keys()].map((hue) => {
            const made = document.createElement("span");
            made.className = `avatar hue-${hue}`;
            document.body.append(made);
            return getComputedStyle(made).backgroundColor;
        })"""
    )
    assert len(set(found)) == 12
    for colour in found:
        assert contrast_with_white(colour) >= READ


def contrast_with_white(colour: str) -> float:
    parts = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4
        for each in parts
    ]
    weights = (0.2126, 0.7152, 0.0722)
    light = sum(each * weight for each, weight in zip(linear, weights, strict=True))
    return 1.05 / (light + 0.05)


def test_the_docs_of_the_api_have_the_colours_of_the_pages() -> None:
    root = Path(__file__).parents[2]
    docs = (root / "edge/static/edge/api_docs.css").read_text()
    pages = (root / "chats/static/chats/parley.css").read_text()
    before_paper = pages.partition("@media print")[0]
    named = re.compile(r"(--[a-z-]+): (#[0-9a-f]+);")
    assert named.findall(docs)
    assert set(named.findall(docs)) <= set(named.findall(before_paper))


@pytest.mark.parametrize("moves", [False, True])
def test_nothing_moves_for_who_wants_no_motion(
    page: Page, bob: SignedInUser, conversation_id: int, *, moves: bool
) -> None:
    root = bob.say(conversation_id, "Shall we play?")
    bob.say(conversation_id, "Anyone?", reply_to=root)
    page.emulate_media(reduced_motion="no-preference" if moves else "reduce")
    animations = "document.getAnimations().length > 0"
    page.goto(f"/conversations/{conversation_id}?around={root}#m{root}")
    assert page.evaluate(animations) is moves
    page.goto(f"/conversations/{conversation_id}")
    page.get_by_role("link", name="Reply to Bob").click()
    expect(page.locator(f"#m{root}")).to_be_focused()
    assert page.evaluate(animations) is moves
    smooth = """[...document.querySelectorAll("*")].filter(
        (each) => getComputedStyle(each).scrollBehavior !== "auto").length"""
    assert page.evaluate(smooth) == 0


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
@pytest.mark.parametrize("path", ["/inbox", "/notifications"])
def test_what_marks_a_message_as_read_takes_no_line_of_its_own(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    size: tuple[int, int],
    path: str,
) -> None:
    group = bob.group("Long walks, and short ones", ann)
    bob.say(group, "Yes.")
    bob.say(group, "It goes on for a while. " * 20)
    page = browse(ann, size=size)
    page.goto(path)
    expect(page.locator(".mail form")).to_have_count(2)
    apart = page.locator(".mail").evaluate_all("""mails => mails.map((mail) => {
        const box = (selector) => mail.querySelector(selector).getBoundingClientRect();
        const button = box("button"), [row, text, time] = [".row", ".row-text", "time"].map(box);
        return button.bottom <= row.bottom && button.left >= text.right && button.top >= time.bottom;
    })""")
    assert apart == [True, True]
