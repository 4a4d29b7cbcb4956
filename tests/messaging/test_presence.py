"""Who receives whose presence."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.ids import UserId
from messaging.models import Participant, User
from messaging.services.blocks import block
from messaging.services.conversations import open_direct, start_group
from messaging.services.presence import contacts_among
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


@pytest.mark.parametrize("by_ann", [True, False])
def test_a_block_hides_presence_in_a_direct_conversation(
    ann: User, bob: User, by_ann: bool
) -> None:
    open_direct(one=id_of(ann), other=id_of(bob), field="participant")
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
