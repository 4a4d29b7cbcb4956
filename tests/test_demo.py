"""The demo that shows a newcomer around."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest
from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import F
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker, Settings

from messaging.demo.links import link_token
from messaging.demo.script import PEOPLE, read_script
from messaging.models import (
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from tests.hashing import QUICK_HASHERS
from tests.seeding import all_rows, seed

pytestmark = pytest.mark.django_db

NOW: Final = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
LINK: Final = re.compile(r"  http://127\.0\.0\.1:8000(/sign-in\?demo=\S+)")


@pytest.fixture(scope="module", autouse=True)
def seeded(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, str]]:
    """What was printed, and the password. Filled in once, and rolled back after all tests."""
    folder = tmp_path_factory.mktemp("demo")
    with (
        django_db_blocker.unblock(),
        override_settings(DATA_DIR=folder, PASSWORD_HASHERS=QUICK_HASHERS),
        transaction.atomic(),
    ):
        said = seed()
        yield said, (folder / "demo-password").read_text()
        transaction.set_rollback(True)


@pytest.fixture
def said(seeded: tuple[str, str]) -> str:
    return seeded[0]


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path, seeded: tuple[str, str]) -> Path:
    """A copy for each test."""
    settings.DATA_DIR = tmp_path
    (tmp_path / "demo-password").write_text(seeded[1])
    return tmp_path


def test_the_printed_password_signs_everybody_in(data_dir: Path, said: str) -> None:
    password = (data_dir / "demo-password").read_text().strip()
    assert f"  username: maya\n  password: {password}\n" in said
    assert User.objects.count() == len(PEOPLE) == 30
    for user in User.objects.all():
        assert authenticate(username=user.username, password=password) == user


def test_it_shows_what_there_is_to_see() -> None:
    maya = User.objects.get(username="maya")
    kinds = set(Conversation.objects.values_list("kind", flat=True))
    unread = Notification.objects.filter(user=maya, is_read=False)
    assert kinds == {"direct", "group"}
    assert deepest_thread() >= 10
    assert MessageHistory.objects.count() >= 3
    assert Message.objects.filter(edited=True).count() >= 2
    assert set(unread.values_list("kind", flat=True)) == {"mention", "message"}
    assert Message.unread.for_user(maya).count() == unread.count() >= 3


def test_the_list_is_in_the_order_of_the_last_messages() -> None:
    listed = Conversation.objects.order_by("-last_activity_at")
    latest = [each.messages.latest("sequence").timestamp for each in listed]
    assert latest == [each.last_activity_at for each in listed]
    assert latest == sorted(latest, reverse=True)
    assert len(set(latest)) == len(latest)


def test_unread_are_some_here_and_many_there() -> None:
    unread = Notification.objects.filter(user__username="maya", is_read=False)
    sizes = Counter(unread.values_list("conversation", flat=True)).values()
    assert len(set(sizes)) >= 4
    assert min(sizes) == 1
    assert max(sizes) >= 20
    # And some conversations with none.
    assert len(sizes) <= Conversation.objects.count() - 4


def test_a_group_of_thirty_has_a_month_of_talk() -> None:
    written = read_script(NOW)
    (street,) = {
        each.conversation for each in written if len(each.conversation.usernames) == 30
    }
    talk = [each for each in written if each.conversation == street]
    days = {each.sent_at.date() for each in talk}
    assert {each.sender for each in talk} == set(PEOPLE)
    assert max(days) - min(days) >= timedelta(days=29)
    assert len(days) >= 29
    assert len(talk) >= 200
    contents = [each.versions[-1] for each in written]
    assert len(set(contents)) == len(contents)


def test_a_tree_branches() -> None:
    written = read_script(NOW)
    replies = Counter(each.parent for each in written if each.parent is not None)
    parents = {each.number: each.parent for each in written}

    def root(number: int) -> int:
        above = parents[number]
        return number if above is None else root(above)

    (largest, size), *_ = Counter(root(each) for each in parents).most_common(1)
    assert size >= 35
    assert replies[largest] >= 5
    assert sum(root(each) == largest for each, many in replies.items() if many > 1) >= 5


@pytest.mark.parametrize("hour", [0, 6, 12, 23])
def test_the_script_is_the_same_each_time_and_in_the_past(hour: int) -> None:
    now = NOW.replace(hour=hour, minute=1)
    written = read_script(now)
    assert written == read_script(now)
    sent_at = {each.number: each.sent_at for each in written}
    assert max(sent_at.values()) < now
    for each in written:
        assert each.parent is None or sent_at[each.parent] < each.sent_at
        assert each.sender in each.conversation.usernames


def deepest_thread() -> int:
    parents = dict(Message.objects.values_list("pk", "parent_message"))

    def depth(pk: int | None) -> int:
        return 0 if pk is None else 1 + depth(parents[pk])

    return max(depth(pk) for pk in parents)


def test_nobody_else_has_anything_to_read() -> None:
    unread = Notification.objects.filter(is_read=False)
    assert set(unread.values_list("user__username", flat=True)) == {"maya"}


def test_everything_happened_when_its_message_was_sent() -> None:
    told = Notification.objects.exclude(created_at=F("message__timestamp"))
    assert not told.exists()
    for edit in MessageHistory.objects.select_related("message"):
        assert edit.edited_at > edit.message.timestamp
    for participant in Participant.objects.select_related("conversation"):
        first = participant.conversation.messages.earliest("sequence")
        assert (
            participant.joined_at
            == participant.conversation.created_at
            == first.timestamp
        )


def test_the_inbox_is_in_the_order_of_time() -> None:
    maya = User.objects.get(username="maya")
    moments = [message.timestamp for message in Message.unread.for_user(maya)]
    assert moments == sorted(moments, reverse=True)


def test_running_it_again_changes_nothing_and_prints_the_same(said: str) -> None:
    before = all_rows()
    second = seed()
    assert all_rows() == before
    # But for the link, which is another one each time.
    assert said.splitlines()[1:-1] == second.splitlines()[1:-1]
    assert second.startswith("The demo is there already.\n")


def test_a_lost_password_is_replaced(data_dir: Path) -> None:
    (data_dir / "demo-password").unlink()
    said = seed()
    password = (data_dir / "demo-password").read_text().strip()
    assert "new password" in said
    assert f"password: {password}" in said
    assert authenticate(username="maya", password=password) is not None
    assert Message.objects.count() == len(read_script(timezone.now()))


def test_a_password_that_someone_changed_is_left_alone() -> None:
    maya = User.objects.get(username="maya")
    maya.set_password("another good password")
    maya.save()
    said = seed()
    assert "someone changed the password" in said
    assert authenticate(username="maya", password="another good password") == maya


def test_the_next_one_is_shown_when_the_first_has_gone() -> None:
    User.objects.filter(username="maya").update(external_id=None, username="real")
    assert "  username: jonas\n" in seed()


def opened(browser: Client, link: str) -> bool:
    """Open a link as a browser with scripts does; whether that signs it in."""
    page = browser.get(link)
    if b"data-submit-now" in page.content:
        _, token = link.split("=")
        browser.post("/sign-in", {"demo": token})
    return signed_in_user(browser) is not None


def signed_in_user(browser: Client) -> str | None:
    pk = browser.session.get("_auth_user_id")
    return None if pk is None else User.objects.get(pk=pk).username


def link_in(said: str) -> str:
    found = LINK.search(said)
    assert found is not None
    return found[1]


def printed_link() -> str:
    return link_in(seed())


def test_the_printed_link_signs_one_in_once(said: str) -> None:
    link = link_in(said)
    first, second = Client(), Client()
    assert opened(first, link)
    assert signed_in_user(first) == "maya"
    assert not opened(second, link)
    page = second.get(link)
    assert "This link has been used" in page.text
    assert 'name="password"' in page.text
    # Whoever is in needs no link.
    assert first.get(link).headers["Location"] == "/"


def test_each_run_prints_a_link_that_works() -> None:
    assert opened(Client(), printed_link())
    assert opened(Client(), printed_link())


def test_reading_a_link_does_not_use_it_up() -> None:
    link = printed_link()
    for _ in range(2):
        assert Client().head(link).status_code == HTTPStatus.OK
        assert "Look around as" in Client().get(link).text
    assert opened(Client(), link)


def test_a_link_on_another_site_asks_first() -> None:
    """Else that site could have a visitor write as somebody whose password it knows."""
    page = Client().get(printed_link(), headers={"Sec-Fetch-Site": "cross-site"})
    assert "Look around as" in page.text
    assert "data-submit-now" not in page.text


def test_a_link_ends_with_the_password_and_after_a_day(settings: Settings) -> None:
    link = printed_link()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert not opened(Client(), link)
    settings.PASSWORD_RESET_TIMEOUT = 60
    User.objects.update(password="another")
    assert not opened(Client(), link)


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"is_staff": True},
        {"is_superuser": True},
        # The account of somebody real, as far as one can see.
        {"external_id": None},
    ],
    ids=str,
)
def test_a_link_opens_no_account_but_one_of_the_demo(
    change: dict[str, object],
) -> None:
    link = printed_link()
    User.objects.filter(username="maya").update(**change)
    assert not opened(Client(), link)
    # Nor is one made for it.
    User.objects.update(**change)
    assert link_token() is None


def test_where_there_is_no_demo_no_link_opens_anything() -> None:
    link = printed_link()
    # Real people, who have the same names.
    User.objects.update(external_id=None)
    before = all_rows()
    assert link_token() is None
    assert not opened(Client(), link)
    refused = Client().post("/sign-in", {"demo": link.partition("=")[2]})
    assert refused.status_code == HTTPStatus.FOUND
    assert all_rows() == before


@pytest.mark.parametrize(
    "token", ["", "x", "-", "1-", "1-é", "\x00", "9" * 5000, "d3abcd-" + "0" * 32]
)
def test_a_made_up_link_opens_nothing(token: str) -> None:
    browser = Client()
    page = browser.get("/sign-in", {"demo": token})
    assert "This link has been used" in page.text
    browser.post("/sign-in", {"demo": token})
    assert signed_in_user(browser) is None


def test_a_link_of_another_server_opens_nothing(settings: Settings) -> None:
    link = printed_link()
    settings.SECRET_KEY = "another key, as long as keys have to be"
    assert not opened(Client(), link)


def test_who_changed_the_password_is_not_passed_by() -> None:
    User.objects.filter(username="maya").update(password="changed")
    assert LINK.search(seed()) is None
