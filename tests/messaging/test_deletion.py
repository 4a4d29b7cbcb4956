"""Deleting an account: what goes, what stays, and that nothing else changes."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.models.signals import post_delete, pre_delete
from django.test import Client

from messaging import access
from messaging.errors import BypassError, WrongPasswordError
from messaging.ids import UserId
from messaging.models import (
    AccessToken,
    Conversation,
    Message,
    Notification,
    Participant,
    User,
)
from messaging.services import deletion, messages, participants
from messaging.services.conversations import start_group
from messaging.services.notifications import mark_message_read
from messaging.services.presence import declare_present
from messaging.services.tokens import issue_token
from messaging.services.typists import note_typing
from messaging.signals import on_user_pre_delete
from tests.conftest import PASSWORD, ClientOf, MakeUser, Meanwhile
from tests.messaging.elsewhere import (
    await_a_waiting_writer,
    elsewhere,
    looking_on,
    only_postgres,
)
from tests.proofs import own_of, owned_by, part_of, received_by


def send(sender: User, group: Conversation, parent: Message | None = None) -> Message:
    return Message.objects.create(
        sender=sender,
        conversation=group,
        parent_message=parent,
        content=f"{sender.username} says",
    )


@pytest.fixture
def group(ann: User, bob: User, cleo: User) -> Conversation:
    return start_group(
        owner=ann, title="Reading", usernames=["bob", "cleo"]
    ).conversation


def test_direct_messages_go_on_both_sides(ann: User, bob: User, cleo: User) -> None:
    Message.objects.create(sender=ann, receiver=bob, content="to bob")
    Message.objects.create(sender=bob, receiver=ann, content="to ann")
    kept = Message.objects.create(sender=bob, receiver=cleo, content="to cleo")
    ann.delete()
    assert list(Message.objects.all()) == [kept]
    assert list(Conversation.objects.all()) == [kept.conversation]
    assert set(Notification.objects.values_list("message", flat=True)) == {kept.pk}


def test_group_messages_leave_tombstones_only_above_survivors(
    ann: User, bob: User, group: Conversation
) -> None:
    root = send(ann, group)
    between = send(ann, group, root)
    survivor = send(bob, group, between)
    lonely = send(ann, group, survivor)
    ann.delete()
    left = {message.pk: message for message in Message.objects.all()}
    assert left.keys() == {root.pk, between.pk, survivor.pk}
    assert left[root.pk].deleted
    assert left[between.pk].deleted
    assert left[survivor.pk].content == "bob says"
    assert left[survivor.pk].reply_count == 0
    assert not Message.objects.filter(pk=lonely.pk).exists()


def test_a_tombstone_that_held_only_their_replies_goes(
    ann: User, bob: User, group: Conversation
) -> None:
    root = send(bob, group)
    send(ann, group, root)
    messages.delete_message(message=own_of(bob, root))
    assert Message.objects.get(pk=root.pk).deleted
    ann.delete()
    assert not Message.objects.exists()


def test_the_group_passes_to_its_longest_member(
    ann: User, bob: User, cleo: User, group: Conversation
) -> None:
    ann.delete()
    owner = Participant.objects.get(conversation=group, role="owner")
    assert owner.user == bob
    assert Participant.objects.filter(conversation=group).count() == 2


def test_an_empty_group_goes_with_all_in_it(
    ann: User, bob: User, group: Conversation
) -> None:
    send(bob, group)
    for name in ("bob", "cleo"):
        Participant.objects.filter(conversation=group, user__username=name).delete()
    ann.delete()
    assert not Conversation.objects.filter(pk=group.pk).exists()
    assert not Message.objects.exists()


def test_what_only_they_had_not_read_is_read(
    ann: User, bob: User, cleo: User, group: Conversation
) -> None:
    message = send(bob, group)
    mark_message_read(message=received_by(cleo, message), reader=UserId(cleo.pk))
    assert not Message.objects.get(pk=message.pk).read
    ann.delete()
    assert Message.objects.get(pk=message.pk).read


def test_pages_of_their_conversations_are_renewed(
    ann: User, group: Conversation
) -> None:
    send(ann, group)
    before = Conversation.objects.get(pk=group.pk).version
    ann.delete()
    assert Conversation.objects.get(pk=group.pk).version > before


def test_messages_in_groups_they_left_go_too(
    ann: User, bob: User, group: Conversation
) -> None:
    message = send(bob, group)
    Notification.objects.filter(user=bob).delete()
    Participant.objects.filter(conversation=group, user=bob).delete()
    bob.delete()
    assert not Message.objects.filter(pk=message.pk).exists()


def test_the_receipt_equals_the_preview(
    ann: User, bob: User, group: Conversation
) -> None:
    Message.objects.create(sender=ann, receiver=bob, content="to bob")
    send(bob, group, send(ann, group))
    send(ann, group)
    issue_token(user=ann, name="phone", expires_in=None)
    preview = deletion.preview_deletion(user=ann)
    receipt = deletion.delete_account(user=ann, password=PASSWORD)
    assert receipt == preview
    assert receipt.direct_messages == 1
    assert receipt.group_messages == 2
    assert receipt.tombstones == 1
    assert receipt.groups_handed_over == 1
    assert receipt.access_tokens == 1


def test_a_wrong_password_deletes_nothing(ann: User, group: Conversation) -> None:
    send(ann, group)
    with pytest.raises(WrongPasswordError):
        deletion.delete_account(user=ann, password="guessed")
    assert User.objects.filter(pk=ann.pk).exists()
    assert Message.objects.count() == 1


def test_no_foreign_key_holds_the_person_afterwards(
    ann: User, bob: User, group: Conversation
) -> None:
    user_id = ann.pk
    message = send(ann, group)
    message.content = "edited"
    message.save()
    send(bob, group, message)
    Message.objects.create(sender=ann, receiver=bob, content="direct")
    issue_token(user=ann, name="phone", expires_in=None)
    note_typing(membership=part_of(ann, group))
    declare_present(process="server", users=[UserId(user_id)])
    ann.delete()
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey) and field.related_model is User:
                rows = model._default_manager.filter(**{field.name: user_id})
                assert not rows.exists(), f"{model.__name__}.{field.name}"


def test_no_text_that_others_did_not_write_holds_the_person_afterwards(
    make_user: MakeUser, bob: User, client_of: ClientOf
) -> None:
    zoe = make_user("zoe-vavilova", display_name="Zoë Vavilova")
    client = client_of(zoe)
    group = start_group(owner=zoe, title="Reading", usernames=["bob"]).conversation
    path = f"/conversations/{group.pk}/messages"
    sent = client.post(path, {"content": "the parsnip secret"}).number("id")
    client.patch(f"/messages/{sent}", {"content": "the turnip secret"})
    send(bob, group, Message.objects.get(pk=sent))
    client.put("/blocks/bob")
    browser = Client()
    browser.force_login(zoe)
    client_of(bob).get(path)
    zoe.delete()
    traces = ("zoe-vavilova", "vavilova", "parsnip", "turnip")
    stored = "\n".join(_all_rows()).lower()
    assert [trace for trace in traces if trace in stored] == []
    others = client_of(bob)
    shown = (others.get(path).body + others.get("/me/export").body).decode().lower()
    assert [trace for trace in traces if trace in shown] == []
    assert browser.get("/account/delete").status_code == 302


def _all_rows() -> Iterator[str]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  # a table's own name
            for row in cursor.fetchall():
                yield f"{table}: {row}"


def test_nobody_else_loses_a_message_or_a_place(make_user: MakeUser) -> None:
    """Random forests, against what a simple walk in memory expects."""
    for seed in range(15):
        _check_random_forest(random.Random(seed), make_user, seed)


@dataclass(slots=True)
class Forest:
    people: list[User]
    messages: list[Message]


def _check_random_forest(rng: random.Random, make_user: MakeUser, seed: int) -> None:
    people = [make_user(f"p{number}-{seed}") for number in range(3)]
    group = start_group(
        owner=people[0], title="G", usernames=[person.username for person in people]
    ).conversation
    sent: list[Message] = []
    for _ in range(40):
        parent = rng.choice([None, *sent[-8:]]) if sent else None
        if parent is not None and Message.objects.get(pk=parent.pk).deleted:
            continue
        sent.append(send(rng.choice(people), group, parent))
        if rng.random() < 0.2:
            _delete_one(rng.choice(sent))
            sent = [m for m in sent if Message.objects.filter(pk=m.pk).exists()]
    rows = list(Message.objects.filter(conversation=group))
    leaver = rng.choice(people)
    survivors = {row.pk for row in rows if row.sender_id not in {None, leaver.pk}}
    parents = {row.pk: row.parent_message_id for row in rows}
    expected = set(survivors)
    for place in survivors:
        above = parents[place]
        while above is not None:
            expected.add(above)
            above = parents[above]
    leaver.delete()
    left = list(Message.objects.filter(conversation=group))
    assert {row.pk for row in left} == expected
    assert {row.pk for row in left if not row.deleted} == survivors
    for row in left:
        assert row.reply_count == sum(
            reply.parent_message_id == row.pk for reply in left
        )


def _delete_one(message: Message) -> None:
    stored = Message.objects.get(pk=message.pk)
    if stored.sender is not None:
        messages.delete_message(message=own_of(stored.sender, stored))


def test_without_its_receivers_nobody_is_deleted(ann: User) -> None:
    uid = "messaging.user.pre_delete"
    assert pre_delete.disconnect(sender=User, dispatch_uid=uid)
    try:
        with pytest.raises(BypassError):
            deletion.delete_account(user=ann, password=PASSWORD)
    finally:
        pre_delete.connect(on_user_pre_delete, sender=User, dispatch_uid=uid)
    assert User.objects.filter(username="ann").exists()


@pytest.mark.django_db(transaction=True)
def test_a_forgotten_table_is_a_failure_and_deletes_nothing(
    ann: User, bob: User
) -> None:
    """Written after the erasing, as a table that nobody erases would be."""

    def write_late(sender: type[User], instance: User, **kwargs: object) -> None:
        AccessToken.objects.create(user_id=user_id, digest="0" * 64)

    user_id = ann.pk
    post_delete.connect(write_late, sender=User)
    try:
        with pytest.raises(BypassError):
            deletion.delete_account(user=ann, password=PASSWORD)
    finally:
        post_delete.disconnect(write_late, sender=User)
    assert User.objects.filter(username="ann").exists()


def test_a_group_joined_after_the_locks_were_taken_is_renewed(
    ann: User, bob: User, meanwhile: Meanwhile
) -> None:
    later = start_group(owner=bob, title="Later", usernames=[]).conversation

    def join_and_write() -> None:
        Participant.objects.create(conversation=later, user=ann)
        send(ann, later)

    with meanwhile(join_and_write, before='DELETE FROM "messaging_user"'):
        ann.delete()
    assert not Message.objects.exists()
    assert Conversation.objects.get(pk=later.pk).version == 3


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_who_is_let_into_another_group_meanwhile_holds_nobody_up(
    ann: User, bob: User, meanwhile: Meanwhile
) -> None:
    """Locks are taken in one order, or two would wait for each other."""
    early, late = (
        start_group(owner=bob, title=title, usernames=usernames).conversation
        for title, usernames in (("Early", []), ("Late", ["ann"]))
    )
    both = Conversation.objects.filter(pk__in=[early.pk, late.pk])

    def let_in() -> None:
        group = owned_by(bob, early)
        participants.put_participant(group=group, username="ann", role="member")

    def lock_both() -> None:
        with transaction.atomic():
            access.lock_conversations(both)

    def let_in_and_lock() -> None:
        elsewhere(let_in).join()
        threads.append(elsewhere(lock_both))
        await_a_waiting_writer(cursor)

    threads: list[Thread] = []
    users = 'FROM "messaging_user" WHERE "messaging_user"."id" IN'
    with looking_on() as cursor, meanwhile(let_in_and_lock, before=users):
        ann.delete()
    for thread in threads:
        thread.join()
    assert not User.objects.filter(username="ann").exists()
    assert [each.version for each in both.order_by("pk")] == [2, 2]
