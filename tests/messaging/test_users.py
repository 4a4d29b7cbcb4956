"""Accounts."""

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from messaging import access
from messaging.errors import (
    ExternalIdTakenError,
    InvalidCursorError,
    InvalidDisplayNameError,
    InvalidPasswordError,
    InvalidUsernameError,
    UsernameTakenError,
    UserNotFoundError,
)
from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, Installation, Message, User
from messaging.services.conversations import PageVersion, page_version
from messaging.services.participants import remove_participant
from messaging.services.users import (
    active_user,
    change_display_name,
    create_account,
    register,
    search_users,
)
from tests.conftest import PASSWORD, ClientOf, MakeUser, Meanwhile

NEW_PASSWORD = "another horse, another battery"


@pytest.mark.django_db
def test_registering_opens_an_account_that_can_sign_in() -> None:
    user = register(username="Ann", password=PASSWORD, display_name=" Ann A. ")
    assert (user.username, user.display_name) == ("Ann", "Ann A.")
    assert not user.is_staff
    assert authenticate(username="Ann", password=PASSWORD) == user


@pytest.mark.django_db
def test_the_username_stands_in_for_a_display_name() -> None:
    user = register(username="Ann", password=PASSWORD, display_name=None)
    assert user.display_name == "Ann"


def test_a_password_is_kept_as_a_hash(ann: User) -> None:
    assert PASSWORD not in ann.password
    assert ann.check_password(PASSWORD)


@pytest.mark.parametrize("name", ["ann", "Ann", "ANN"])
def test_a_username_is_taken_in_every_case(ann: User, name: str) -> None:
    with pytest.raises(UsernameTakenError):
        register(username=name, password=PASSWORD, display_name=None)
    assert User.objects.get() == ann


@pytest.mark.django_db
def test_of_two_who_take_a_name_at_once_one_gets_it(
    make_user: MakeUser, meanwhile: Meanwhile
) -> None:
    with (
        meanwhile(lambda: make_user("ANN"), before="SAVEPOINT"),
        pytest.raises(UsernameTakenError),
    ):
        register(username="ann", password=PASSWORD, display_name=None)
    assert User.objects.get().username == "ANN"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("username", "password", "display_name", "error"),
    [
        ("a b", PASSWORD, None, InvalidUsernameError),
        ("ann", PASSWORD, "\n", InvalidDisplayNameError),
        ("ann", "short", None, InvalidPasswordError),
        ("annabella", "annabella1", None, InvalidPasswordError),
        ("ann", "1234567890123", None, InvalidPasswordError),
    ],
)
def test_a_refused_account_is_not_opened(
    username: str, password: str, display_name: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        register(username=username, password=password, display_name=display_name)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_weak_password_is_told_every_reason() -> None:
    with pytest.raises(InvalidPasswordError) as refusal:
        register(username="ann", password="12345", display_name=None)
    assert len(refusal.value.reasons) == 3
    assert refusal.value.field == "password"


def test_a_new_display_name_is_trimmed_and_kept(ann: User) -> None:
    change_display_name(user=ann, display_name="  Anna ")
    assert User.objects.get().display_name == "Anna"


def test_a_refused_display_name_changes_nothing(ann: User) -> None:
    with pytest.raises(InvalidDisplayNameError):
        change_display_name(user=ann, display_name=" ")
    assert User.objects.get().display_name == "Ann"


def test_who_was_deleted_just_now_gets_no_new_name(
    ann: User, meanwhile: Meanwhile
) -> None:
    same = User.objects.get(pk=ann.pk)
    with (
        meanwhile(same.delete, before='FROM "messaging_user"'),
        pytest.raises(UserNotFoundError),
    ):
        change_display_name(user=ann, display_name="Late")


def test_renaming_someone_renews_every_page_that_may_show_them(
    ann: User, bob: User, group: Conversation
) -> None:
    def page() -> PageVersion:
        return page_version(
            reader=UserId(bob.pk), conversation_id=ConversationId(group.pk)
        )

    before = page()
    change_display_name(user=ann, display_name="Anna")
    assert page() != before


def test_renaming_someone_who_left_renews_what_they_wrote(
    ann: User, bob: User, group: Conversation, client_of: ClientOf
) -> None:
    Message.objects.create(sender=bob, conversation=group, content="bye")
    remove_participant(
        membership=access.membership(
            reader=UserId(bob.pk), conversation_id=ConversationId(group.pk)
        ),
        username="bob",
    )
    path, reader = f"/conversations/{group.pk}/messages", client_of(ann)
    seen = reader.get(path).headers["ETag"]
    change_display_name(user=bob, display_name="Robert")
    again = reader.call("GET", path, headers={"If-None-Match": seen})
    assert b"Robert" in again.body


@pytest.mark.parametrize(
    "fields", [None, ["display_name"], ["last_login"], ["username"]]
)
def test_saving_someone_unchanged_renews_nothing(
    ann: User, group: Conversation, fields: list[str] | None
) -> None:
    ann.save(update_fields=fields)
    assert Installation.objects.get().names == 0


def test_a_rename_that_fails_renews_nothing(ann: User, group: Conversation) -> None:
    ann.username = "bob"
    with pytest.raises(IntegrityError), transaction.atomic():
        ann.save()
    assert Installation.objects.get().names == 0


def test_people_are_found_whatever_the_case(ann: User) -> None:
    assert active_user(username="aNN") == ann


@pytest.mark.parametrize("active", [True, False])
def test_missing_and_suspended_people_are_not_found(ann: User, active: bool) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=active)
    with pytest.raises(UserNotFoundError):
        active_user(username="dora" if active else "ann")


def test_search_finds_active_people_by_how_their_names_begin(
    make_user: MakeUser,
) -> None:
    for name in ("ana", "Anna", "an_e", "an-a", "Bob", "anne"):
        make_user(name)
    User.objects.filter(username="anne").update(is_active=False)
    page = search_users(prefix="AN", cursor=None, limit=10)
    assert [user.username for user in page.items] == ["an-a", "an_e", "ana", "Anna"]
    assert page.next_cursor is None


def test_search_goes_on_after_a_page(make_user: MakeUser) -> None:
    for number in range(5):
        make_user(f"Ann{number}")
    found, cursor = [], None
    for _ in range(3):
        page = search_users(prefix="ann", cursor=cursor, limit=2)
        found += [user.username for user in page.items]
        cursor = page.next_cursor
    assert found == ["Ann0", "Ann1", "Ann2", "Ann3", "Ann4"]
    assert cursor is None


def test_search_refuses_another_lists_cursor(ann: User) -> None:
    with pytest.raises(InvalidCursorError):
        search_users(prefix="a", cursor="WyJ4IiwxXQ", limit=2)


def test_search_loads_no_password_hash(
    ann: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1) as queries:
        search_users(prefix="a", cursor=None, limit=2)
    assert "password" not in queries.captured_queries[0]["sql"]


@pytest.mark.django_db
def test_a_superuser_may_enter_the_admin() -> None:
    root = User.objects.create_superuser("root", PASSWORD)
    assert root.is_staff
    assert root.is_superuser
    assert root.display_name == str(root) == "root"


@pytest.mark.django_db
def test_nobody_has_no_name() -> None:
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(None)


def test_an_external_id_that_is_taken_meanwhile_is_refused(
    db: None, meanwhile: Meanwhile
) -> None:
    def be_faster() -> None:
        create_account(
            username="faster", password=None, display_name=None, external_id="7"
        )

    with (
        meanwhile(be_faster, before="INSERT INTO"),
        pytest.raises(ExternalIdTakenError),
    ):
        create_account(
            username="slower", password=None, display_name=None, external_id="7"
        )
    assert not User.objects.filter(username="slower").exists()
