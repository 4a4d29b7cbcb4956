"""What staff do to accounts in the administration, and who may."""

from collections.abc import Callable, Iterator
from itertools import chain, combinations

import pytest
from django.contrib.auth.models import Permission

from messaging import access
from messaging.access import AccountAction, AdministeredAccount
from messaging.errors import (
    InvalidCursorError,
    InvalidPasswordError,
    InvalidServerNameError,
    OwnAccountError,
    RightsRequiredError,
    UserNotFoundError,
)
from messaging.models import LastSeen, LookNotice, Message, User
from messaging.models.looks import LookSource
from messaging.services import administration, numbers
from messaging.services.deletion import delete_account_of, preview_deletion
from messaging.services.installation import rename_server, server_name
from messaging.services.messages import delete_message
from messaging.services.tokens import issue_token
from tests.conftest import PASSWORD, MakeUser
from tests.proofs import own_of

ANOTHER = "another horse, another battery"
ACTIONS: tuple[AccountAction, ...] = ("view", "change", "delete")


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", PASSWORD)


def staff(*codenames: str) -> User:
    clerk = User.objects.create_user("clerk", PASSWORD)
    User.objects.filter(pk=clerk.pk).update(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=clerk.pk)


def account(
    by: User, user: User, action: AccountAction = "change"
) -> AdministeredAccount:
    return access.administered_account(
        staff=by, username=user.username.upper(), action=action
    )


def subsets() -> Iterator[tuple[AccountAction, ...]]:
    return chain.from_iterable(combinations(ACTIONS, size) for size in range(4))


@pytest.mark.parametrize("given", [*subsets()])
def test_staff_do_what_their_permissions_say(
    ann: User, given: tuple[AccountAction, ...]
) -> None:
    clerk = staff(*(f"{action}_user" for action in given))
    may = {*given, *(["view"] if "change" in given else [])}
    for action in ACTIONS:
        if action in may:
            assert account(clerk, ann, action).user == ann
        else:
            with pytest.raises(RightsRequiredError):
                account(clerk, ann, action)


def test_permissions_of_who_is_no_staff_or_suspended_mean_nothing(ann: User) -> None:
    clerk = staff("view_user", "change_user", "delete_user")
    for fields in ({"is_staff": False}, {"is_staff": True, "is_active": False}):
        User.objects.filter(pk=clerk.pk).update(**fields)
        for action in ACTIONS:
            with pytest.raises(RightsRequiredError):
                account(User.objects.get(pk=clerk.pk), ann, action)


@pytest.mark.parametrize("rights", ["is_staff", "is_superuser"])
def test_only_superusers_touch_an_account_with_rights(
    root: User, ann: User, rights: str
) -> None:
    clerk = staff("view_user", "change_user", "delete_user")
    User.objects.filter(pk=ann.pk).update(**{rights: True})
    assert account(clerk, ann, "view").user == ann
    for action in ("change", "delete"):
        with pytest.raises(RightsRequiredError):
            account(clerk, ann, action)
        assert account(root, ann, action).user == ann


def test_nobody_administers_their_own_account(root: User) -> None:
    assert account(root, root, "view").user == root
    for action in ("change", "delete"):
        with pytest.raises(OwnAccountError):
            account(root, root, action)


def test_a_name_of_nobody_is_not_there(root: User) -> None:
    with pytest.raises(UserNotFoundError):
        access.administered_account(staff=root, username="nobody", action="view")


def test_who_is_suspended_is_let_in_again_with_all_they_had(
    root: User, ann: User
) -> None:
    issue_token(user=ann, name="phone", expires_in=None)
    administration.set_active(account=account(root, ann), is_active=False)
    assert not User.objects.get(pk=ann.pk).is_active
    administration.set_active(account=account(root, ann), is_active=True)
    assert User.objects.get(pk=ann.pk).is_active
    assert ann.access_tokens.count() == 1


@pytest.mark.parametrize("new", [None, ANOTHER])
def test_a_new_password_is_the_one_given_or_made_and_ends_everything(
    root: User, ann: User, new: str | None
) -> None:
    issue_token(user=ann, name="phone", expires_in=None)
    chosen = administration.set_password_of(account=account(root, ann), new=new)
    assert new in {None, chosen}
    assert User.objects.get(pk=ann.pk).check_password(chosen)
    assert not ann.access_tokens.exists()
    # And it is told, as in the admin.
    notice = LookNotice.objects.get(user=ann)
    assert (notice.look.by, notice.look.source) == (root, LookSource.PASSWORD)


def test_a_weak_password_changes_nothing(root: User, ann: User) -> None:
    with pytest.raises(InvalidPasswordError):
        administration.set_password_of(account=account(root, ann), new="short")
    assert User.objects.get(pk=ann.pk).check_password(PASSWORD)
    assert not LookNotice.objects.exists()


def test_a_new_password_writes_nothing_else(root: User, ann: User) -> None:
    stale = account(root, ann)
    administration.set_active(account=account(root, ann), is_active=False)
    administration.set_password_of(account=stale, new=ANOTHER)
    assert not User.objects.get(pk=ann.pk).is_active


def test_a_deletion_takes_what_its_preview_says(
    root: User, ann: User, message: Message
) -> None:
    told = preview_deletion(user=ann)
    assert told.direct_messages == 1
    assert delete_account_of(account=account(root, ann, "delete")) == told
    assert not User.objects.filter(username="ann").exists()
    assert not Message.objects.exists()


DONE: dict[str, Callable[[AdministeredAccount], object]] = {
    "suspend": lambda it: administration.set_active(account=it, is_active=False),
    "password": lambda it: administration.set_password_of(account=it, new=ANOTHER),
    "delete": lambda it: delete_account_of(account=it),
}


@pytest.mark.parametrize("done", DONE.values(), ids=DONE)
def test_rights_that_ended_meanwhile_do_nothing(
    root: User, ann: User, done: Callable[[AdministeredAccount], object]
) -> None:
    proof = account(root, ann, "delete")
    User.objects.filter(pk=root.pk).update(is_active=False)
    with pytest.raises(RightsRequiredError):
        done(proof)
    ann.refresh_from_db()
    assert ann.is_active
    assert ann.check_password(PASSWORD)


@pytest.mark.parametrize("done", DONE.values(), ids=DONE)
def test_an_account_that_got_rights_meanwhile_is_a_superusers(
    ann: User, done: Callable[[AdministeredAccount], object]
) -> None:
    proof = account(staff("change_user", "delete_user"), ann, "change")
    User.objects.filter(pk=ann.pk).update(is_staff=True)
    with pytest.raises(RightsRequiredError):
        done(proof)
    ann.refresh_from_db()
    assert ann.is_active
    assert ann.check_password(PASSWORD)


@pytest.mark.parametrize("done", DONE.values(), ids=DONE)
def test_who_deletes_their_account_meanwhile_is_gone(
    root: User, ann: User, done: Callable[[AdministeredAccount], object]
) -> None:
    proof = account(root, ann, "delete")
    User.objects.get(pk=ann.pk).delete()
    with pytest.raises(UserNotFoundError):
        done(proof)


def names(viewer: User, typed: str = "", *, only_suspended: bool = False) -> list[str]:
    """Of all pages, each of two."""
    found: list[str] = []
    cursor = None
    while True:
        page = administration.account_page(
            viewer=access.account_viewer(staff=viewer),
            typed=typed,
            only_suspended=only_suspended,
            cursor=cursor,
            limit=2,
        )
        found += [user.username for user in page.items]
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


def test_accounts_are_listed_newest_first_and_found_by_name(
    root: User, make_user: MakeUser
) -> None:
    made = [make_user(f"person{number}") for number in range(5)]
    User.objects.filter(pk__in=[made[1].pk, made[3].pk]).update(is_active=False)
    everybody = [user.username for user in reversed([root, *made])]
    assert names(root) == everybody
    assert names(root, only_suspended=True) == ["person3", "person1"]
    assert sorted(names(root, "person")) == sorted(everybody[:-1])
    assert names(root, "erson3") == ["person3"]
    assert names(root, "zeppelin") == []


def test_suspended_accounts_are_looked_for_in_bounded_steps(
    root: User, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user("suspended")
    User.objects.filter(username="suspended").update(is_active=False)
    for number in range(4):
        make_user(f"person{number}")
    monkeypatch.setattr(administration, "_MOST_SCANNED", 2)
    assert names(root, only_suspended=True) == ["suspended"]


def test_a_cursor_of_another_list_is_refused(root: User) -> None:
    with pytest.raises(InvalidCursorError):
        administration.account_page(
            viewer=access.account_viewer(staff=root),
            typed="",
            only_suspended=False,
            cursor="x",
            limit=2,
        )


def test_the_place_is_renamed_by_superusers(root: User) -> None:
    proof = access.superuser(user=root)
    rename_server(by=proof, server_name="  Elm   Street ")
    assert server_name() == "Elm Street"
    with pytest.raises(InvalidServerNameError):
        rename_server(by=proof, server_name="")
    User.objects.filter(pk=root.pk).update(is_superuser=False)
    with pytest.raises(RightsRequiredError):
        rename_server(by=proof, server_name="Mine")
    assert server_name() == "Elm Street"


def test_numbers_are_of_people_and_messages_as_they_are(
    root: User, ann: User, bob: User, message: Message
) -> None:
    gone = Message.objects.create(sender=bob, parent_message=message, content="x")
    delete_message(message=own_of(bob, gone))
    Message.objects.create(sender=ann, receiver=bob, content="and")
    User.objects.filter(pk=bob.pk).update(is_active=False)
    LastSeen.objects.create(user=ann, at=message.timestamp)
    found = numbers.numbers(superuser=access.superuser(user=root))
    assert (found.accounts, found.suspended) == (3, 1)
    assert (found.seen_today, found.seen_this_week, found.seen_this_month) == (1, 1, 1)
    assert sum(day.messages for day in found.days) == 2
    assert max(day.writers for day in found.days) == 1
    assert len(found.days) == 7
    assert not found.is_partial
    assert found.database_bytes > 0


def test_numbers_are_kept_for_a_while(root: User, make_user: MakeUser) -> None:
    proof = access.superuser(user=root)
    before = numbers.numbers(superuser=proof)
    make_user("new")
    assert numbers.numbers(superuser=proof) == before


def test_only_the_latest_messages_are_counted(
    root: User, ann: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        Message.objects.create(sender=ann, receiver=bob, content=f"{number}")
    monkeypatch.setattr(numbers, "_MOST_READ", 3)
    found = numbers.numbers(superuser=access.superuser(user=root))
    assert sum(day.messages for day in found.days) == 3
    assert found.is_partial


def test_staff_are_no_superusers() -> None:
    clerk = User(username="clerk", is_staff=True)
    suspended = User(username="root", is_superuser=True, is_active=False)
    for user in (clerk, suspended):
        with pytest.raises(RightsRequiredError):
            access.superuser(user=user)
