"""The admin: for looking, and for what only staff may change in an account."""

from http import HTTPStatus

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from messaging.models import (
    AccessToken,
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.services.messages import edit_message
from messaging.services.tokens import issue_token
from tests.conftest import PASSWORD, MakeUser
from tests.proofs import own_of

SHOWN = (
    AccessToken,
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
READ_ONLY = (Conversation, Message, MessageHistory, Notification, Participant)

Shown = type[
    AccessToken
    | Conversation
    | Message
    | MessageHistory
    | Notification
    | Participant
    | User
]


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", PASSWORD))
    return client


@pytest.fixture
def _rows_of_every_kind(ann: User, message: Message, group: Conversation) -> None:
    edit_message(message=own_of(ann, message), content="hi")
    issue_token(user=ann, name="phone", expires_in=None)


def _url(model: Shown, page: str, *args: object) -> str:
    return reverse(f"admin:messaging_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", SHOWN)
@pytest.mark.usefixtures("_rows_of_every_kind")
def test_every_model_can_be_looked_at(staff: Client, model: Shown) -> None:
    listed = staff.get(_url(model, "changelist"), {"q": "ann"})
    assert listed.status_code == HTTPStatus.OK
    row = model._default_manager.first()
    assert row is not None
    assert f"/{row.pk}/change/" in staff.get(_url(model, "changelist")).text
    assert staff.get(_url(model, "change", row.pk)).status_code == HTTPStatus.OK


@pytest.mark.usefixtures("_rows_of_every_kind")
def test_lists_show_a_preview_of_the_content(staff: Client, message: Message) -> None:
    Message.objects.create(
        sender=message.sender, receiver=message.receiver, content="x" * 61
    )
    for model in (Message, Notification):
        assert "x" * 59 + "…" in staff.get(_url(model, "changelist")).text
    assert "hello" in staff.get(_url(MessageHistory, "changelist")).text


@pytest.mark.parametrize("model", READ_ONLY)
@pytest.mark.usefixtures("_rows_of_every_kind")
def test_what_people_wrote_is_read_only(staff: Client, model: Shown) -> None:
    row = model._default_manager.first()
    assert row is not None
    rows = list(model._default_manager.values())
    assert staff.get(_url(model, "add")).status_code == HTTPStatus.FORBIDDEN
    for page in ("change", "delete"):
        answer = staff.post(_url(model, page, row.pk), {"post": "yes"})
        assert answer.status_code == HTTPStatus.FORBIDDEN
    staff.post(
        _url(model, "changelist"),
        {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"},
    )
    assert list(model._default_manager.values()) == rows


@pytest.mark.parametrize("model", SHOWN)
def test_there_are_no_bulk_actions(model: Shown) -> None:
    assert admin.site.get_model_admin(model).actions is None


def test_a_token_can_be_revoked_and_not_changed(staff: Client, ann: User) -> None:
    issued = issue_token(user=ann, name="phone", expires_in=None)
    page = staff.get(_url(AccessToken, "change", issued.token.pk)).text
    assert issued.token.digest not in page
    change = staff.post(_url(AccessToken, "change", issued.token.pk), {"name": "x"})
    assert change.status_code == HTTPStatus.FORBIDDEN
    assert staff.get(_url(AccessToken, "add")).status_code == HTTPStatus.FORBIDDEN
    staff.post(_url(AccessToken, "delete", issued.token.pk), {"post": "yes"})
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("page", ["password", "delete"])
def test_what_asks_for_ones_own_password_is_elsewhere(
    staff: Client, ann: User, page: str
) -> None:
    secret = "another horse, another battery"
    form = {"usable_password": "true", "password1": secret, "password2": secret}
    for path, led_to in (
        (f"/admin/messaging/user/{ann.pk}", f"/administration/people/ann/{page}"),
        (f"/admin/messaging/user/{_root().pk}", f"/account/{page}"),
    ):
        for answer in (
            staff.get(f"{path}/{page}/"),
            staff.post(f"{path}/{page}/", {**form, "post": "yes"}),
        ):
            assert answer.status_code == HTTPStatus.FOUND
            assert answer.headers["Location"] == led_to
    for user in (User.objects.get(pk=ann.pk), _root()):
        assert user.check_password(PASSWORD)
    assert (
        staff.get("/admin/messaging/user/0/password/").status_code
        == HTTPStatus.NOT_FOUND
    )
    assert (
        staff.get("/admin/messaging/user/0/delete/").status_code == HTTPStatus.NOT_FOUND
    )


def _root() -> User:
    return User.objects.get(username="root")


def test_the_log_names_nobody(staff: Client, ann: User) -> None:
    staff.post(_url(User, "change", ann.pk), _form(ann, display_name="Anna"))
    entries = LogEntry.objects.values_list("object_repr", "change_message")
    assert len(entries) == 1
    assert "ann" not in "".join(map("".join, entries)).lower()


def _form(user: User, **values: str) -> dict[str, str]:
    return {
        "username": user.username,
        "display_name": user.display_name,
        "is_active": "on",
        **values,
    }


def test_renaming_someone_renews_the_pages_that_show_them(
    staff: Client, ann: User, group: Conversation
) -> None:
    staff.post(_url(User, "change", ann.pk), _form(ann, display_name="Anna"))
    assert User.objects.get(pk=ann.pk).display_name == "Anna"
    assert Conversation.objects.get().version == group.version + 1


def test_saving_someone_unchanged_renews_nothing(
    staff: Client, ann: User, group: Conversation
) -> None:
    answer = staff.post(_url(User, "change", ann.pk), _form(ann))
    assert answer.status_code == HTTPStatus.FOUND
    assert Conversation.objects.get().version == group.version


@pytest.mark.parametrize("name", ["ann", "ANN", "a b"])
def test_a_taken_or_malformed_username_is_a_form_error(
    staff: Client, ann: User, bob: User, name: str
) -> None:
    answer = staff.post(_url(User, "change", bob.pk), _form(bob, username=name))
    assert answer.status_code == HTTPStatus.OK
    assert "errorlist" in answer.text
    assert User.objects.get(pk=bob.pk).username == "bob"


def test_someone_is_suspended_here(staff: Client, ann: User) -> None:
    form = _form(ann)
    del form["is_active"]
    staff.post(_url(User, "change", ann.pk), form)
    assert not User.objects.get(pk=ann.pk).is_active


@pytest.mark.parametrize(("name", "added"), [("dora", True), ("ANN", False)])
def test_an_account_is_added_here(
    staff: Client, ann: User, name: str, added: bool
) -> None:
    answer = staff.post(
        _url(User, "add"),
        {
            "username": name,
            "display_name": "Dora",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )
    assert answer.status_code == (HTTPStatus.FOUND if added else HTTPStatus.OK)
    assert User.objects.filter(username=name).exists() == added


def test_without_staff_rights_there_is_no_admin(ann: User) -> None:
    client = Client()
    client.force_login(ann)
    answer = client.get(_url(Message, "changelist"))
    assert answer.status_code == HTTPStatus.FOUND
    assert answer.headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        *(
            ("user", "zoe"),
            ("user", "ZOË"),
            ("user", "Zoe\u0308"),
            ("message", "ÉCOLE"),
        ),
        *(("message", "école"), ("message", "e\u0301cole"), ("message", "zoë")),
        *(("participant", "ZOË"), ("notification", "École")),
    ],
)
def test_what_is_searched_for_is_found_in_whatever_case(
    staff: Client, make_user: MakeUser, bob: User, page: str, typed: str
) -> None:
    zoe = make_user("z", display_name="Zoë")
    Message.objects.create(sender=zoe, receiver=bob, content="Die École ist zu.")
    found = staff.get(f"/admin/messaging/{page}/", {"q": typed})
    assert found.context["cl"].result_count == 1


def test_a_search_that_folds_to_nothing_finds_nothing(staff: Client, ann: User) -> None:
    found = staff.get("/admin/messaging/user/", {"q": "\u200b"})
    assert found.context["cl"].result_count == 0


@pytest.mark.parametrize("name", ["\u200b", "a\u202eb", "\u3164", "a" + "\u0353" * 9])
def test_an_invalid_display_name_is_a_form_error(
    staff: Client, ann: User, name: str
) -> None:
    path = f"/admin/messaging/user/{ann.pk}/change/"
    answer = staff.post(path, {"username": "ann", "display_name": name})
    assert "display_name" in answer.context["adminform"].form.errors
    new = staff.post(
        "/admin/messaging/user/add/",
        {"username": "new", "display_name": name, "usable_password": "false"},
    )
    assert "display_name" in new.context["adminform"].form.errors
    ann.refresh_from_db()
    assert ann.display_name == "Ann"


def test_the_admin_shows_settings_that_only_the_user_changes(
    staff: Client, ann: User
) -> None:
    path = f"/admin/messaging/user/{ann.pk}/change/"
    page = staff.get(path).text
    assert "Who may add them to groups" in page
    assert "Shows when they are online" in page
    form = {"username": "ann", "display_name": "Ann", "who_may_add": "nobody"}
    staff.post(path, {**form, "is_active": "on"})
    ann.refresh_from_db()
    assert (ann.who_may_add, ann.shows_presence) == ("everyone", True)


def test_the_admin_normalizes_display_names(staff: Client, ann: User) -> None:
    path = f"/admin/messaging/user/{ann.pk}/change/"
    staff.post(
        path,
        {
            "username": "ann",
            "display_name": "Zoe\u0308 \u200b\u00a0Lee",
            "is_active": "on",
        },
    )
    ann.refresh_from_db()
    assert (ann.display_name, ann.folded_name) == ("Zoë Lee", "ann zoe lee")
