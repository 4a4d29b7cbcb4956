"""Accounts."""

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from messaging import access
from messaging.errors import (
    ExternalIdTakenError,
    InvalidCursorError,
    InvalidDisplayNameError,
    InvalidPasswordError,
    InvalidUsernameError,
    RateLimitedError,
    UsernameTakenError,
    UserNotFoundError,
)
from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, Message, User
from messaging.rates import Rate
from messaging.services.conversations import PageVersion, page_version
from messaging.services.participants import remove_participant
from messaging.services.people_search import search_users
from messaging.services.tokens import issue_token
from messaging.services.users import (
    active_user,
    change_display_name,
    create_account,
    register,
)
from tests.api_client import ApiClient
from tests.conftest import PASSWORD, ClientOf, MakeUser, RunBeforeQuery
from tests.messaging.other_connection import (
    in_thread,
    only_postgres,
    other_connection,
    wait_for_blocked_writer,
)

NEW_PASSWORD = "another horse, another battery"

# So long a window that none ends during a test.
AGE = 1000 * 24 * 3600


def api_of(user: User) -> ApiClient:
    return ApiClient(issue_token(user=user, name="", expires_in=None).secret)


def version_of(conversation: Conversation) -> int:
    return Conversation.objects.get(pk=conversation.pk).version


@pytest.mark.django_db
def test_registering_opens_an_account_that_can_sign_in() -> None:
    user = register(username="Ann", password=PASSWORD, display_name=" Ann A. ").user
    assert (user.username, user.display_name) == ("Ann", "Ann A.")
    assert not user.is_staff
    assert authenticate(username="Ann", password=PASSWORD) == user


@pytest.mark.django_db
def test_the_username_stands_in_for_a_display_name() -> None:
    user = register(username="Ann", password=PASSWORD, display_name=None).user
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
    make_user: MakeUser, run_before_query: RunBeforeQuery
) -> None:
    with (
        run_before_query(lambda: make_user("ANN"), before="SAVEPOINT"),
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
def test_every_reason_for_a_weak_password_is_given() -> None:
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


def test_a_deleted_account_is_not_renamed(
    ann: User, run_before_query: RunBeforeQuery
) -> None:
    same = User.objects.get(pk=ann.pk)
    with (
        run_before_query(same.delete, before='FROM "messaging_user"'),
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


def test_a_rename_leaves_the_pages_of_strangers_alone(
    ann: User, bob: User, cleo: User, make_user: MakeUser, client_of: ClientOf
) -> None:
    dora = make_user("dora")
    theirs = Message.objects.create(sender=bob, receiver=cleo, content="hello")
    own = Message.objects.create(sender=ann, receiver=dora, content="hello")
    path = f"/conversations/{theirs.conversation_id}/messages"
    reader = client_of(cleo)
    seen = reader.get(path).headers["ETag"]
    change_display_name(user=ann, display_name="Anna")
    again = reader.get(path)
    assert (again.headers["X-Cache"], again.headers["ETag"]) == ("hit", seen)
    renewed = client_of(dora).get(f"/conversations/{own.conversation_id}/messages")
    assert b'"Anna"' in renewed.body


def test_a_rename_costs_the_same_queries_in_any_number_of_conversations(
    ann: User, make_user: MakeUser
) -> None:
    counts = []
    for number in (1, 20):
        for other in range(number):
            Message.objects.create(
                sender=ann, receiver=make_user(f"other-{number}-{other}"), content="x"
            )
        with CaptureQueriesContext(connection) as queries:
            change_display_name(user=ann, display_name=f"Ann {number}")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_renames_are_limited_for_each_account(
    ann: User, bob: User, settings: Settings
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_RENAMES = Rate(2, AGE)
    change_display_name(user=ann, display_name="Anna")
    with pytest.raises(InvalidDisplayNameError):
        change_display_name(user=ann, display_name=" ")
    change_display_name(user=ann, display_name="Annabel")
    # To keep one's name is no rename.
    change_display_name(user=ann, display_name="Annabel")
    with pytest.raises(RateLimitedError) as refused:
        change_display_name(user=ann, display_name="Ann")
    assert refused.value.limit_status.limit == "renames"
    assert User.objects.get(pk=ann.pk).display_name == "Annabel"
    change_display_name(user=bob, display_name="Robert")


@pytest.mark.parametrize(
    "fields", [None, ["display_name"], ["last_login"], ["username"]]
)
def test_saving_someone_unchanged_renews_nothing(
    ann: User, group: Conversation, fields: list[str] | None
) -> None:
    ann.save(update_fields=fields)
    assert version_of(group) == group.version


def test_a_rename_that_fails_renews_nothing(ann: User, group: Conversation) -> None:
    ann.username = "bob"
    with pytest.raises(IntegrityError), transaction.atomic():
        ann.save()
    assert version_of(group) == group.version


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
    page = search_users(typed="AN", cursor=None, limit=10)
    assert [user.username for user in page.items] == ["an-a", "an_e", "ana", "Anna"]
    assert page.next_cursor is None


def test_search_goes_on_after_a_page(make_user: MakeUser) -> None:
    for number in range(5):
        make_user(f"Ann{number}")
    found, cursor = [], None
    for _ in range(3):
        page = search_users(typed="ann", cursor=cursor, limit=2)
        found += [user.username for user in page.items]
        cursor = page.next_cursor
    assert found == ["Ann0", "Ann1", "Ann2", "Ann3", "Ann4"]
    assert cursor is None


def test_search_refuses_another_lists_cursor(ann: User) -> None:
    with pytest.raises(InvalidCursorError):
        search_users(typed="a", cursor="WyJ4IiwxXQ", limit=2)


@pytest.mark.parametrize("typed", ["a", "nn"])
def test_search_loads_no_password_hash(
    ann: User, typed: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3) as queries:
        assert list(search_users(typed=typed, cursor=None, limit=2).items) == [ann]
    assert not any("password" in each["sql"] for each in queries.captured_queries)


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


def test_a_concurrently_taken_external_id_is_refused(
    db: None, run_before_query: RunBeforeQuery
) -> None:
    def be_faster() -> None:
        create_account(
            username="faster", password=None, display_name=None, external_id="7"
        )

    with (
        run_before_query(be_faster, before="INSERT INTO"),
        pytest.raises(ExternalIdTakenError),
    ):
        create_account(
            username="slower", password=None, display_name=None, external_id="7"
        )
    assert not User.objects.filter(username="slower").exists()


def page_shows(reader: User, name: str) -> None:
    """Whatever was cached: the only page there is shows it, on every look."""
    conversation = ConversationId(Conversation.objects.get().pk)
    for _ in range(2):
        answer = api_of(reader).get(f"/conversations/{conversation}/messages")
        assert f'"display_name":"{name}"}},"receiver"'.encode() in answer.body


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_a_first_message_that_came_between_the_locks_shows_the_new_name(
    ann: User, bob: User, run_before_query: RunBeforeQuery
) -> None:
    def write_first_and_read() -> None:
        def write_and_read() -> None:
            Message.objects.create(sender=ann, receiver=bob, content="hello")
            page_shows(bob, "Ann")

        in_thread(write_and_read).join()

    users = 'FROM "messaging_user" WHERE "messaging_user"."id" IN'
    with run_before_query(write_first_and_read, before=users):
        change_display_name(user=User.objects.get(pk=ann.pk), display_name="Anna")
    page_shows(bob, "Anna")


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_a_rename_waits_for_the_first_message_that_is_being_sent(
    ann: User, bob: User
) -> None:
    def rename() -> None:
        change_display_name(user=User.objects.get(pk=ann.pk), display_name="Anna")

    with other_connection() as cursor, transaction.atomic():
        message = Message.objects.create(sender=ann, receiver=bob, content="hello")
        renaming = in_thread(rename)
        wait_for_blocked_writer(cursor)
    renaming.join()
    assert version_of(message.conversation) == 3
    page_shows(bob, "Anna")
