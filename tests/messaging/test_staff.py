"""What staff may do in the admin, by each permission, and what is a superuser's."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from itertools import chain, combinations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test import Client

from messaging.deletion_counts import described
from messaging.ids import UserId
from messaging.models import (
    AccessToken,
    Conversation,
    InviteCode,
    Message,
    ServiceToken,
    User,
)
from messaging.services.conversations import start_group
from messaging.services.deletion import preview_deletion
from messaging.services.invites import create_group_invitation, create_invite
from messaging.services.looks import record_password
from messaging.services.service_tokens import create_service_token
from messaging.services.tokens import issue_token
from tests.conftest import PASSWORD, MakeUser
from tests.proofs import owned_by

ANOTHER = "another horse, another battery"
ACTIONS = ("view", "add", "change", "delete")
RIGHTS: Mapping[str, str] = {"is_staff": "on", "is_superuser": "on"}


def subsets() -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(ACTIONS, size) for size in range(5))


def staff(*codenames: str) -> tuple[User, Client]:
    user = User.objects.create_user("clerk", PASSWORD)
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    assert user.user_permissions.count() >= len(codenames)
    client = Client()
    client.force_login(user)
    return user, client


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", PASSWORD)


@pytest.fixture
def colleague(make_user: MakeUser) -> User:
    user = make_user("colleague")
    user.is_staff = True
    user.save()
    return user


def rights() -> dict[str, object]:
    """Of everybody, and whatever else they hang on."""
    return {
        "people": list(
            User.objects.order_by("pk").values_list(
                "pk", "username", "is_staff", "is_superuser", "user_permissions"
            )
        ),
        "groups": list(Group.objects.order_by("pk").values("name", "permissions")),
        "members": list(User.groups.through.objects.values_list()),
    }


def form(user: User, **values: str) -> dict[str, str]:
    named = {"username": user.username, "display_name": user.display_name}
    return {**named, "is_active": "on", **values}


def post(client: Client, path: str, data: Mapping[str, object]) -> int:
    return client.post(f"/admin/{path}", data).status_code


def given_rights() -> dict[str, object]:
    """What could be posted in the hope of rights."""
    group = Group.objects.create(name="all")
    permissions = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    return {**RIGHTS, "groups": [str(group.pk)], "user_permissions": permissions}


@pytest.mark.parametrize("actions", [*subsets()])
def test_no_permission_gives_rights(ann: User, actions: tuple[str, ...]) -> None:
    clerk, client = staff(
        *(f"{action}_{model}" for action in actions for model in ("user", "group"))
    )
    forged = given_rights()
    before = rights()
    password = {
        "usable_password": "true",
        "password1": ANOTHER,
        "password2": ANOTHER,
    }
    for user in (clerk, ann):
        change = f"messaging/user/{user.pk}/change/"
        assert post(client, change, form(user, **RIGHTS)) == HTTPStatus.FORBIDDEN
        for name, value in forged.items():
            status = post(client, change, {**form(user), name: value})
            assert status == HTTPStatus.FORBIDDEN
    added = {"username": "new", "display_name": "New", **password, **forged}
    assert post(client, "messaging/user/add/", added) == HTTPStatus.FORBIDDEN
    all_of_them = {"name": "mine", "permissions": forged["user_permissions"]}
    group = Group.objects.get()
    for page in ("add", f"{group.pk}/change", f"{group.pk}/delete"):
        status = post(client, f"auth/group/{page}/", {**all_of_them, "post": "yes"})
        assert status == HTTPStatus.FORBIDDEN
    chosen = {"_selected_action": str(group.pk), "post": "yes"}
    post(client, "auth/group/", {"action": "delete_selected", **chosen})
    assert rights() == before


@pytest.mark.parametrize("actions", [*subsets()])
@pytest.mark.parametrize("whose", ["root", "colleague", "clerk"])
def test_an_account_with_rights_is_a_superusers_to_touch(
    root: User, colleague: User, actions: tuple[str, ...], whose: str
) -> None:
    _, client = staff(*(f"{action}_user" for action in actions))
    user = User.objects.get(username=whose)
    before = User.objects.filter(pk=user.pk).values().get()
    place = f"messaging/user/{user.pk}"
    suspended = form(user)
    del suspended["is_active"]
    changes = (
        form(user, username="renamed"),
        form(user, display_name="Renamed"),
        suspended,
    )
    for change in changes:
        assert post(client, f"{place}/change/", change) == HTTPStatus.FORBIDDEN
    for usable in ("true", "false"):
        password = {
            "usable_password": usable,
            "password1": ANOTHER,
            "password2": ANOTHER,
        }
        assert post(client, f"{place}/password/", password) == HTTPStatus.FORBIDDEN
    assert client.get(f"/admin/{place}/password/").status_code == HTTPStatus.FORBIDDEN
    assert post(client, f"{place}/delete/", {"post": "yes"}) == HTTPStatus.FORBIDDEN
    chosen = {"_selected_action": str(user.pk), "post": "yes"}
    post(client, "messaging/user/", {"action": "delete_selected", **chosen})
    after = User.objects.filter(pk=user.pk).values().get()
    assert after == {**before, "last_login": after["last_login"]}


@pytest.mark.parametrize("actions", [*subsets()])
def test_people_without_rights_are_looked_after(
    ann: User, actions: tuple[str, ...]
) -> None:
    _, client = staff(*(f"{action}_user" for action in actions))
    place = f"messaging/user/{ann.pk}"
    may = {True: HTTPStatus.FOUND, False: HTTPStatus.FORBIDDEN}
    renamed = form(ann, display_name="Anna")
    changes = "change" in actions
    assert post(client, f"{place}/change/", renamed) == may[changes]
    password = {"usable_password": "true", "password1": ANOTHER, "password2": ANOTHER}
    assert post(client, f"{place}/password/", password) == may[changes]
    set_here = {"password": PASSWORD, "new_password": ANOTHER}
    client.post("/administration/people/ann/password", set_here)
    new = {"username": "new", "display_name": "New", **password}
    added = changes and "add" in actions
    assert post(client, "messaging/user/add/", new) == may[added]
    ann.refresh_from_db()
    assert (ann.display_name == "Anna") == changes
    assert ann.check_password(ANOTHER) == changes
    deletes = "delete" in actions
    assert post(client, f"{place}/delete/", {"post": "yes"}) == may[deletes]
    assert User.objects.filter(pk=ann.pk).exists()
    client.post("/administration/people/ann/delete", {"password": PASSWORD})
    assert User.objects.filter(pk=ann.pk).exists() != deletes


def test_whoever_gives_no_rights_sees_them_and_has_no_field_for_them(ann: User) -> None:
    _, client = staff("change_user")
    page = client.get(f"/admin/messaging/user/{ann.pk}/change/").text
    assert "Superuser status" in page
    for name in ("is_staff", "is_superuser", "groups", "user_permissions"):
        assert f'name="{name}"' not in page
    assert ann.password not in page


def test_a_password_hash_is_shown_to_nobody(ann: User, root: User) -> None:
    _, client = staff("view_user")
    secret = ann.password.rpartition("$")[2]
    for path in (f"messaging/user/{ann.pk}/change/", "messaging/user/"):
        assert secret not in client.get(f"/admin/{path}").text
    found = client.get("/admin/messaging/user/", {"password__startswith": "x"})
    assert found.status_code == HTTPStatus.BAD_REQUEST


def test_a_superuser_gives_rights(ann: User, root: User) -> None:
    client = Client()
    client.force_login(root)
    group = Group.objects.create(name="helpers")
    values = {**form(ann, **RIGHTS), "groups": [str(group.pk)]}
    assert post(client, f"messaging/user/{ann.pk}/change/", values) == HTTPStatus.FOUND
    ann.refresh_from_db()
    assert (ann.is_staff, ann.is_superuser, ann.groups.get()) == (True, True, group)
    changed = post(client, f"auth/group/{group.pk}/change/", {"name": "staff"})
    assert (changed, Group.objects.get().name) == (HTTPStatus.FOUND, "staff")


def test_the_password_is_changed_where_guesses_are_counted(root: User) -> None:
    client = Client()
    client.force_login(root)
    guess = {
        "old_password": PASSWORD,
        "new_password1": ANOTHER,
        "new_password2": ANOTHER,
    }
    for answer in (
        client.get("/admin/password_change/"),
        client.post("/admin/password_change/", guess),
    ):
        assert answer.status_code == HTTPStatus.FOUND
        assert answer.headers["Location"] == "/account/password"
    root.refresh_from_db()
    assert root.check_password(PASSWORD)


def test_every_other_model_is_at_most_deleted_by_who_may(
    ann: User, bob: User, message: Message, group: Conversation
) -> None:
    """Of all models and permissions: what is added or changed here is nothing."""
    issue_token(user=ann, name="phone", expires_in=None)
    create_invite(uses=1, expires_in=None)
    create_service_token(name="shop")
    deletable = {AccessToken, InviteCode, ServiceToken}
    others = [model for model in admin.site._registry if model not in {User, Group}]
    _, client = staff(
        *(
            f"{action}_{model._meta.model_name}"
            for model in others
            for action in ACTIONS
        )
    )
    for model in others:
        row = model._default_manager.first()
        place = f"{model._meta.app_label}/{model._meta.model_name}"
        kept = list(model._default_manager.values())
        assert post(client, f"{place}/add/", {}) == HTTPStatus.FORBIDDEN
        if row is None:
            continue
        change = post(client, f"{place}/{row.pk}/change/", {"name": "x"})
        assert change == HTTPStatus.FORBIDDEN
        chosen = {"_selected_action": str(row.pk), "post": "yes"}
        post(client, f"{place}/", {"action": "delete_selected", **chosen})
        assert list(model._default_manager.values()) == kept
        status = post(client, f"{place}/{row.pk}/delete/", {"post": "yes"})
        gone = model in deletable
        assert status == (HTTPStatus.FOUND if gone else HTTPStatus.FORBIDDEN)
        assert len(kept) - model._default_manager.count() == gone


# What a deletion announces


def rows() -> dict[str, int]:
    tables: list[type[models.Model]] = [AccessToken, InviteCode, ServiceToken, Message]
    return {table.__name__: table._default_manager.count() for table in tables}


@pytest.mark.parametrize("model", [AccessToken, InviteCode, ServiceToken])
def test_what_a_deletion_announces_is_what_goes(
    root: User, ann: User, message: Message, model: type[models.Model]
) -> None:
    issue_token(user=ann, name="phone", expires_in=None)
    create_invite(uses=1, expires_in=None)
    create_service_token(name="shop")
    client = Client()
    client.force_login(root)
    row = model._default_manager.get()
    path = f"/admin/messaging/{model._meta.model_name}/{row.pk}/delete/"
    before = rows()
    page = client.get(path).text
    assert f"{str(model._meta.verbose_name_plural).capitalize()}: 1" in page
    client.post(path, {"post": "yes"})
    assert rows() == {**before, model.__name__: 0}


@pytest.fixture
def _much_of_ann(ann: User, bob: User, cleo: User, message: Message) -> None:
    """So that no two counts are alike by chance."""
    groups = [
        start_group(owner=ann, title=title, usernames=["bob"]).conversation
        for title in ("One", "Two", "Three")
    ]
    for shared in groups:
        top = Message.objects.create(conversation=shared, sender=ann, content="hi")
        Message.objects.create(
            conversation=shared, sender=bob, content="yes", parent_message=top
        )
    start_group(owner=ann, title="Alone", usernames=[])
    Message.objects.create(conversation=groups[0], sender=ann, content="bye")
    for number in range(5):
        Message.objects.create(sender=ann, receiver=cleo, content=str(number))
    issue_token(user=ann, name="phone", expires_in=None)
    owned = owned_by(ann, groups[0])
    for _ in range(7):
        create_group_invitation(group=owned, uses=1, expires_in=timedelta(days=1))
    for _ in range(5):
        record_password(by=UserId(bob.pk), user_id=UserId(ann.pk))


@pytest.mark.usefixtures("_much_of_ann")
def test_a_persons_deletion_is_announced_and_receipted_as_their_own(ann: User) -> None:
    _, client = staff("delete_user", "view_user")
    counts = preview_deletion(user=ann)
    assert sorted(asdict(counts).values()) == [1, 1, 2, 3, 3, 4, 4, 5, 6, 7]
    path = f"/admin/messaging/user/{ann.pk}/delete/"
    before = client.get(path, follow=True)
    address = before.redirect_chain[-1][0]
    after = client.post(address, {"password": PASSWORD})
    assert len(described(counts)) == len(asdict(counts))
    for label, number in described(counts):
        for page in (before.text, after.text):
            assert f"<dt>{label}</dt><dd>{number}</dd>" in page
    assert not User.objects.filter(pk=ann.pk).exists()


def test_every_count_of_a_deletion_is_described(ann: User) -> None:
    counts = preview_deletion(user=ann)
    assert len(described(counts)) == len(asdict(counts))


def test_permissions_exist_for_every_model_of_the_admin(db: None) -> None:
    """Or the matrix above would be empty."""
    for model in admin.site._registry:
        content_type = ContentType.objects.get_for_model(model)
        assert Permission.objects.filter(content_type=content_type).count() == 4
