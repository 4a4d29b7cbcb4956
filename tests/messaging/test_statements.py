"""A statement answers what its queryset would, and never what it answered before."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.models import AccessToken, Message, User
from messaging.statements import Ids, Parameter, Statement, number_of
from tests.conftest import MakeUser

SENT = Statement(
    lambda: (
        Message.objects.filter(sender=Parameter("sender"))
        .for_display()
        .order_by("sequence")
    )
)


@pytest.fixture
def messages(ann: User, bob: User) -> list[Message]:
    return [
        Message.objects.create(sender=sender, receiver=receiver, content=f"{number}")
        for number, (sender, receiver) in enumerate([(ann, bob), (bob, ann)] * 2)
    ]


def test_it_answers_for_the_parameters_it_is_given(
    ann: User, bob: User, messages: list[Message]
) -> None:
    assert SENT.all(sender=ann.pk) == messages[::2]
    assert SENT.all(sender=bob.pk) == messages[1::2]
    assert SENT.all(sender=0) == []
    assert SENT.page(1, sender=bob.pk) == [messages[1]]
    assert SENT.first(sender=0) is None


def test_it_sees_what_was_written_since(ann: User, messages: list[Message]) -> None:
    before = SENT.all(sender=ann.pk)
    messages[0].content = "edited"
    messages[0].save()
    after = SENT.all(sender=ann.pk)
    assert [message.content for message in before] == ["0", "2"]
    assert [message.content for message in after] == ["edited", "2"]


def test_its_instances_are_as_the_queryset_makes_them(
    ann: User, messages: list[Message]
) -> None:
    (made, *_) = SENT.all(sender=ann.pk)
    (usual, *_) = Message.objects.filter(sender=ann).for_display().order_by("sequence")
    assert made.get_deferred_fields() == usual.get_deferred_fields()
    assert made.sender is not None
    assert made.sender.get_deferred_fields() >= {"password"}
    assert (made.timestamp, made.read) == (usual.timestamp, usual.read)
    assert made.timestamp.tzinfo is not None
    assert made.read is False
    assert (made._state.adding, made._state.db) == (False, usual._state.db)


def test_its_instances_are_saved_like_others(
    ann: User, messages: list[Message]
) -> None:
    (made, *_) = SENT.all(sender=ann.pk)
    made.content = "edited"
    made.save()
    made.save()
    assert [kept.old_content for kept in made.history.all()] == ["0"]


def test_what_a_join_did_not_find_is_none(ann: User, messages: list[Message]) -> None:
    assert messages[0].pk
    Message.objects.filter(pk=messages[0].pk).update(receiver=None)
    (made, *_) = SENT.all(sender=ann.pk)
    assert made.receiver is None


def test_moments_are_compared_as_moments(make_user: MakeUser) -> None:
    statement = Statement(
        lambda: User.objects.filter(date_joined__lt=Parameter("moment"))
    )
    user = make_user("early")
    moment = datetime(2001, 1, 1, tzinfo=UTC)
    User.objects.filter(pk=user.pk).update(date_joined=moment)
    assert statement.all(moment=moment) == []
    assert statement.all(moment=moment.replace(year=2002)) == [user]


def test_any_number_of_ids_is_one_statement(messages: list[Message]) -> None:
    statement = Statement(
        lambda: Message.objects.filter(pk__in=Ids("ids")).order_by("pk")
    )
    ids = [message.pk for message in messages]
    for wanted in (ids, ids[1:2], []):
        with CaptureQueriesContext(connection) as captured:
            found = statement.all(ids=wanted)
        assert [message.pk for message in found] == wanted
        assert len(captured) == 1


def test_values_are_tuples_in_the_order_they_were_named(
    ann: User, bob: User, messages: list[Message]
) -> None:
    statement = Statement(
        lambda: (
            User.objects.filter(pk__in=Ids("people"))
            .order_by("pk")
            .values_list(
                "username",
                number_of(Message.objects.filter(sender=Parameter("sender"))),
            )
        )
    )
    rows = statement.all(people=[ann.pk, bob.pk], sender=ann.pk)
    assert [tuple(row) for row in rows] == [("ann", 2), ("bob", 2)]
    none = statement.all(people=[ann.pk], sender=0)
    assert [tuple(row) for row in none] == [("ann", 0)]


def test_a_parameter_that_is_missing_is_an_error(db: None) -> None:
    statement = Statement(
        lambda: AccessToken.objects.filter(digest=Parameter("digest"))
    )
    with pytest.raises(KeyError, match="digest"):
        statement.all()
