"""Links into a group: made, looked at and taken, with and without scripts."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Browse, NewPerson
from tests.browser.screens import assert_right_on_every_screen
from tests.browser.signed_in_users import SignedInUser


def test_a_link_is_made_copied_and_taken(
    browse: Browse,
    ann: SignedInUser,
    bob: SignedInUser,
    screenshots: Path,
    *,
    scripts: bool,
) -> None:
    group = ann.group("Walks")
    page = browse(ann, scripts=scripts)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/conversations/{group}/details")
    page.get_by_role("link", name="Invite people by a link").click()
    page.get_by_label("For how many people").select_option("25")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("heading", name="Your new link")).to_be_visible()
    link = page.locator("#link").inner_text()
    expect(page.locator("svg.qr-code")).to_be_visible()
    copying = page.get_by_role("button", name="Copy the link")
    if scripts:
        copying.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == link
        assert_right_on_every_screen(page, name="new-link", folder=screenshots)
    else:
        expect(copying).to_be_hidden()
    theirs = browse(bob, scripts=scripts)
    theirs.goto(link)
    expect(theirs.get_by_text("Do you want to join?")).to_be_visible()
    if scripts:
        assert_right_on_every_screen(theirs, name="joining", folder=screenshots)
    theirs.get_by_role("button", name="Join the group").click()
    expect(theirs.get_by_text("You joined the group.")).to_be_visible()
    [joined] = bob.get("/conversations").json()["items"]
    assert joined["id"] == group


def test_a_newcomer_signs_up_by_a_link_into_the_group(
    browse: Browse, new_person: NewPerson, *, scripts: bool
) -> None:
    ann = new_person("Ann")
    group = ann.group("Walks")
    issued = ann.post(f"/conversations/{group}/invitations", {}).json()
    page = browse(None, scripts=scripts)
    page.goto(f"/join/{issued['invite_code']}")
    page.get_by_label("Username").fill(f"newcomer-{group}")
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Open my account").click()
    expect(page.get_by_role("heading", name="Walks")).to_be_visible()
    people = ann.get(f"/conversations/{group}/participants").json()["items"]
    assert [each["user"]["username"] for each in people] == [
        *(ann.username, f"newcomer-{group}")
    ]
