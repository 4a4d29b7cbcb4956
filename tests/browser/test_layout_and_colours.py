"""Layout of buttons, and contrast of the selection."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import PHONE, Browse, NewPerson
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
