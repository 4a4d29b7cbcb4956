"""Deleting an account: what goes, what stays, and that nothing else changes."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Thread

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.models.signals import post_delete, pre_delete
from django.test import Client
from django.utils import timezone

from messaging.changes import changing_account, changing_all
from messaging.errors import BypassError, WrongPasswordError
from messaging.ids import TokenId, UserId
from messaging.models import (
    AccessToken,
    Conversation,
    Event,
    Message,
    Notification,
    Participant,
    Session,
    User,
)
from messaging.services import deletion, messages, participants
from messaging.services.access_revocations import access_ended
from messaging.services.consistency import find_inconsistencies
from messaging.services.conversations import start_group
from messaging.services.looks import record_password
from messaging.services.notifications import mark_message_read
from messaging.services.passwords import sign_out
from messaging.services.presence import declare_present
from messaging.services.sessions import end_other_sessions
from messaging.services.tokens import issue_token, revoke_token
from messaging.services.typing_indicators import note_typing
from messaging.signals import on_user_pre_delete
from tests.conftest import PASSWORD, ClientOf, MakeUser, RunBeforeQuery
from tests.messaging.other_connection import (
    in_thread,
    only_postgres,
    other_connection,
    wait_for_blocked_writer,
)
from tests.proofs import membership_of, own_of, owned_by, received_by
from tests.rows import erase


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
        owner=ann, title="LimitStatus", usernames=["bob", "cleo"]
    ).conversation


def test_direct_messages_are_deleted_for_both_users(
    ann: User, bob: User, cleo: User
) -> None:
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


def test_a_tombstone_that_had_only_their_replies_is_deleted(
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
        erase(Participant.objects.filter(conversation=group, user__username=name))
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
    erase(Notification.objects.filter(user=bob))
    erase(Participant.objects.filter(conversation=group, user=bob))
    bob.delete()
    assert not Message.objects.filter(pk=message.pk).exists()


def test_the_receipt_equals_the_preview(
    ann: User, bob: User, group: Conversation
) -> None:
    Message.objects.create(sender=ann, receiver=bob, content="to bob")
    send(bob, group, send(ann, group))
    send(ann, group)
    issue_token(user=ann, name="phone", expires_in=None)
    record_password(by=UserId(bob.pk), user_id=UserId(ann.pk))
    preview = deletion.preview_deletion(user=ann)
    receipt = deletion.delete_account(user=ann, password=PASSWORD)
    assert receipt == preview
    assert receipt.direct_messages == 1
    assert receipt.group_messages == 2
    assert receipt.tombstones == 1
    assert receipt.groups_handed_over == 1
    assert receipt.access_tokens == 1
    assert receipt.looks == 1


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
    note_typing(membership=membership_of(ann, group))
    declare_present(process="server", users=[UserId(user_id)])
    record_password(by=UserId(bob.pk), user_id=UserId(user_id))
    record_password(by=UserId(user_id), user_id=UserId(bob.pk))
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
    group = start_group(owner=zoe, title="LimitStatus", usernames=["bob"]).conversation
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


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_being_added_to_a_group_during_a_deletion_causes_no_deadlock(
    ann: User, bob: User, run_before_query: RunBeforeQuery
) -> None:
    """Locks are taken in one order, or two would wait for each other."""
    early, late = (
        start_group(owner=bob, title=title, usernames=usernames).conversation
        for title, usernames in (("Early", []), ("Late", ["ann"]))
    )
    both = Conversation.objects.filter(pk__in=[early.pk, late.pk])

    def add_participant() -> None:
        group = owned_by(bob, early)
        participants.put_participant(group=group, username="ann", role="member")

    def lock_both() -> None:
        with changing_all(both):
            pass

    def add_participant_and_lock() -> None:
        in_thread(add_participant).join()
        threads.append(in_thread(lock_both))
        wait_for_blocked_writer(cursor)

    threads: list[Thread] = []
    users = 'FROM "messaging_user" WHERE "messaging_user"."id" IN'
    with (
        other_connection() as cursor,
        run_before_query(add_participant_and_lock, before=users),
    ):
        ann.delete()
    for thread in threads:
        thread.join()
    assert not User.objects.filter(username="ann").exists()
    # Coming in renews the page, and so does the end of the account.
    assert [each.version for each in both.order_by("pk")] == [3, 2]


def _deleted_together(*users: User) -> None:
    User.objects.filter(username__in=[user.username for user in users]).delete()


def test_several_are_deleted_as_one_by_one(
    ann: User, bob: User, cleo: User, group: Conversation
) -> None:
    for one, other in ((ann, bob), (bob, cleo)):
        Message.objects.create(sender=one, receiver=other, content="hello")
    send(ann, group, send(bob, group))
    _deleted_together(ann, bob)
    connection.check_constraints()
    assert list(User.objects.all()) == [cleo]
    assert list(Conversation.objects.all()) == [group]
    assert not Message.objects.exists()
    assert Participant.objects.get().role == Participant.Role.OWNER
    assert list(find_inconsistencies()) == []
    group.refresh_from_db()
    told = Event.objects.filter(conversation_id=group.pk).latest("pk")
    assert (group.version, told.type) == (4, "conversation.reset")


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_deleting_several_holds_nobody_up(
    ann: User, bob: User, cleo: User, run_before_query: RunBeforeQuery
) -> None:
    """Their conversations are locked before the first account: another order deadlocks."""
    early, late = (
        start_group(owner=cleo, title=title, usernames=usernames).conversation
        for title, usernames in (("Early", ["bob"]), ("Late", ["ann"]))
    )
    both = Conversation.objects.filter(pk__in=[early.pk, late.pk])

    def lock_both() -> None:
        with changing_all(both):
            pass

    def lock_meanwhile() -> None:
        threads.append(in_thread(lock_both))
        wait_for_blocked_writer(cursor)

    threads: list[Thread] = []
    users = 'FROM "messaging_user" WHERE "messaging_user"."id" IN'
    with other_connection() as cursor, run_before_query(lock_meanwhile, before=users):
        _deleted_together(ann, bob)
    for thread in threads:
        thread.join()
    assert list(User.objects.all()) == [cleo]


def _revoke(user: User) -> Callable[[], object]:
    token = issue_token(user=user, name="", expires_in=None).token
    return partial(revoke_token, owner=UserId(user.pk), token_id=TokenId(token.pk))


def _end_sessions(user: User) -> Callable[[], object]:
    Session.objects.create(
        session_key="key", user=user, expire_date=timezone.now() + timedelta(days=1)
    )
    return partial(end_other_sessions, user_id=UserId(user.pk), current=None)


def _sign_out(user: User) -> Callable[[], object]:
    issue_token(user=user, name="", expires_in=None)
    return partial(sign_out, user=user)


@only_postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("prepare", [_revoke, _end_sessions, _sign_out])
def test_ending_access_waits_for_who_changes_the_account(
    ann: User, bob: User, prepare: Callable[[User], Callable[[], object]]
) -> None:
    end = prepare(ann)
    with other_connection() as cursor:
        with transaction.atomic(), changing_account(UserId(ann.pk)) as change:
            thread = in_thread(end)
            wait_for_blocked_writer(cursor)
            change.record(access_ended(UserId(bob.pk)))
        thread.join()
    assert Event.objects.filter(type="access.ended", recipient=ann).exists()
