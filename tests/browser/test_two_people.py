"""Two people at once."""

from playwright.sync_api import expect

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse
from tests.browser.signed_in_users import SignedInUser


def test_two_people_talk(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    anns, bobs = browse(ann), browse(bob)
    for page in (anns, bobs):
        page.goto(f"/conversations/{conversation_id}")
    anns.get_by_label("Your message").fill("Are you there?")
    bobs.get_by_label("Your message").fill("Hello, Ann.")
    for page in (anns, bobs):
        page.get_by_label("Your message").press("Control+Enter")
        expect(page.get_by_label("Your message")).to_have_value("")
    for page in (anns, bobs):
        page.reload()
        expect(page.locator(".message")).to_have_count(2)
        for text in ("Are you there?", "Hello, Ann."):
            expect(page.locator(".message").get_by_text(text)).to_be_visible()


def test_what_one_writes_the_other_sees_at_once(
    browse: Browse, ann: SignedInUser, bob: SignedInUser, conversation_id: int
) -> None:
    anns, bobs, bobs_list = browse(ann), browse(bob), browse(bob)
    anns.goto(f"/conversations/{conversation_id}")
    bobs.goto(f"/conversations/{conversation_id}")
    bobs_list.goto("/notifications")
    anns.get_by_label("Your message").fill("Are you there?")
    expect(bobs.locator("#typing")).to_contain_text("Ann is writing")
    anns.get_by_label("Your message").press("Control+Enter")
    expect(bobs.locator(".message").get_by_text("Are you there?")).to_be_visible()
    expect(bobs_list.get_by_text("Ann wrote to you")).to_be_visible()
    expect(anns.locator(".message .receipt")).to_have_text("Read")
    expect(bobs_list).to_have_title("Notifications · Parley")


def test_of_two_concurrent_edits_the_second_is_warned(
    browse: Browse, browser_errors: BrowserErrors, ann: SignedInUser, bob: SignedInUser
) -> None:
    browser_errors.allow(412)
    sent = ann.say(ann.start_direct(bob), "Supper at six.")
    slow, quick = browse(ann, scripts=False), browse(ann, scripts=False)
    for page in (slow, quick):
        page.goto(f"/messages/{sent}/edit")
    quick.locator("textarea").fill("Supper at seven.")
    quick.get_by_role("button", name="Save").click()
    expect(quick.get_by_text("Supper at seven.")).to_be_visible()
    slow.locator("textarea").fill("Supper at eight.")
    slow.get_by_role("button", name="Save").click()
    expect(slow.get_by_role("alert")).to_be_visible()
    expect(slow.locator("textarea")).to_have_value("Supper at eight.")
    assert ann.get(f"/messages/{sent}").json()["content"] == "Supper at seven."
