"""Who receives whose presence, and who sees when somebody was last seen."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.ids import UserId
from messaging.models import LastSeen, Participant, Presence, User
from messaging.services.blocks import block, unblock
from messaging.services.conversations import open_direct, start_group
from messaging.services.presence import (
    Seen,
    contacts_among,
    declare_present,
    presence_of,
    present_contacts,
    present_users,
    set_shows_presence,
    withdraw_presence,
)
from tests.conftest import MakeUser


def id_of(user: User) -> UserId:
    return UserId(user.pk)


def test_those_who_share_a_conversation_are_shown(
    ann: User, bob: User, cleo: User, make_user: MakeUser
) -> None:
    stranger = make_user("stranger")
    start_group(owner=ann, title="Crew", usernames=["bob"])
    open_direct(one=id_of(cleo), other=id_of(ann), field="participant")
    everyone = frozenset(map(id_of, (ann, bob, cleo, stranger)))
    assert contacts_among([id_of(ann)], audience=everyone) == {
        id_of(ann): {id_of(bob), id_of(cleo)}
    }


def _in_a_pair(ann: User, bob: User) -> None:
    open_direct(one=id_of(ann), other=id_of(bob), field="participant")


def _in_a_group(ann: User, bob: User) -> None:
    start_group(owner=ann, title="Crew", usernames=[bob.username])


@pytest.mark.parametrize("together", [_in_a_pair, _in_a_group])
@pytest.mark.parametrize("by_ann", [True, False])
def test_a_block_hides_presence(
    ann: User, bob: User, by_ann: bool, together: Callable[[User, User], None]
) -> None:
    together(ann, bob)
    block(blocker=ann if by_ann else bob, blocked=bob if by_ann else ann)
    found = contacts_among([id_of(ann)], audience=frozenset({id_of(bob)}))
    assert found == {id_of(ann): frozenset()}


def test_a_few_who_listen_cost_no_more_in_a_large_group(
    ann: User, bob: User, make_user: MakeUser
) -> None:
    others = [make_user(f"other{number}").username for number in range(5)]
    start_group(owner=ann, title="Crew", usernames=["bob", *others])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        contacts_among([id_of(ann)], audience=frozenset({id_of(bob)}))
    assert Participant.objects.count() == 7
    with connection.cursor() as cursor:
        cursor.execute(queries[0]["sql"])
        assert len(cursor.fetchall()) == 2


def test_those_who_hide_their_presence_receive_none(
    ann: User, bob: User, cleo: User
) -> None:
    start_group(owner=ann, title="Crew", usernames=["bob", "cleo"])
    set_shows_presence(user=bob, shows_presence=False)
    everyone = frozenset(map(id_of, (ann, bob, cleo)))
    assert contacts_among([id_of(ann)], audience=everyone) == {
        id_of(ann): {id_of(cleo)}
    }
    declare_present(process="p", users=[id_of(ann), id_of(cleo)])
    assert present_contacts(user=id_of(bob)) == []
    assert present_contacts(user=id_of(ann)) == [cleo]


def test_those_who_hide_go_offline_for_those_who_saw_them(ann: User, bob: User) -> None:
    _in_a_pair(ann, bob)
    declare_present(process="p", users=[id_of(ann)])
    assert present_users() == {id_of(ann)}
    set_shows_presence(user=ann, shows_presence=False)
    assert present_users() == frozenset()
    found = contacts_among([id_of(ann)], audience=frozenset({id_of(bob)}))
    assert found == {id_of(ann): {id_of(bob)}}
    declare_present(process="p", users=[id_of(ann)])
    assert not Presence.objects.exists()


def _seen(person: User, reader: User) -> Seen | None:
    return presence_of([person.pk], reader=id_of(reader)).get(person.pk)


def _note(user: User, at: datetime) -> None:
    LastSeen.objects.update_or_create(user=user, defaults={"at": at})


def test_who_was_online_was_last_seen_then_to_the_minute(ann: User, bob: User) -> None:
    assert _seen(ann, bob) == Seen(online=False, at=None)
    before = timezone.now()
    declare_present(process="p", users=[id_of(ann)])
    seen = _seen(ann, bob)
    assert seen is not None
    assert seen.at is not None
    assert seen.online
    assert before - timedelta(minutes=1) < seen.at <= timezone.now()
    assert (seen.at.second, seen.at.microsecond) == (0, 0)
    withdraw_presence(process="p")
    assert _seen(ann, bob) == Seen(online=False, at=seen.at)


@pytest.mark.parametrize(("minutes", "written"), [(1, False), (3, True)])
def test_last_seen_is_written_every_few_minutes(
    ann: User, minutes: int, written: bool
) -> None:
    at = timezone.now() - timedelta(minutes=minutes)
    _note(ann, at)
    declare_present(process="p", users=[id_of(ann)])
    assert (LastSeen.objects.get().at != at) is written


def test_a_renewal_costs_the_same_for_any_number_of_users(make_user: MakeUser) -> None:
    costs = set()
    for size in (1, 20):
        users = [id_of(make_user(f"u{size}-{number}")) for number in range(size)]
        with CaptureQueriesContext(connection) as queries:
            declare_present(process="p", users=users)
        costs.add(len(queries))
    assert len(costs) == 1


@pytest.mark.parametrize("hiding", ["ann", "bob"])
def test_who_hides_their_presence_neither_shows_nor_sees_it(
    ann: User, bob: User, hiding: str
) -> None:
    for user in (ann, bob):
        declare_present(process="p", users=[id_of(user)])
    set_shows_presence(user=ann if hiding == "ann" else bob, shows_presence=False)
    assert _seen(ann, bob) is None
    assert _seen(bob, ann) is None


def test_hiding_forgets_when_one_was_seen(ann: User, bob: User) -> None:
    _note(ann, timezone.now())
    _note(bob, timezone.now())
    set_shows_presence(user=ann, shows_presence=False)
    declare_present(process="p", users=[id_of(ann)])
    assert LastSeen.objects.get().user == bob
    set_shows_presence(user=ann, shows_presence=True)
    assert _seen(ann, bob) == Seen(online=False, at=None)


def test_a_row_that_a_race_left_of_somebody_who_hides_is_not_shown(
    ann: User, bob: User
) -> None:
    set_shows_presence(user=ann, shows_presence=False)
    _note(ann, timezone.now())
    Presence.objects.create(
        user=ann, process="p", until=timezone.now() + timedelta(minutes=1)
    )
    assert _seen(ann, bob) is None
    assert present_users() == frozenset()


@pytest.mark.parametrize("by_ann", [True, False])
def test_a_block_hides_when_one_was_seen_until_it_is_removed(
    ann: User, bob: User, by_ann: bool
) -> None:
    _note(ann, timezone.now())
    blocker, blocked = (ann, bob) if by_ann else (bob, ann)
    block(blocker=blocker, blocked=blocked)
    assert _seen(ann, bob) is None
    unblock(blocker=blocker, blocked=blocked)
    assert _seen(ann, bob) is not None
