"""A compiled query answers what its queryset would, and never what it answered before."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    ExpressionWrapper,
    F,
    IntegerField,
    QuerySet,
)
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext

from messaging.database import CompiledQuery, number_of
from messaging.database.writes import CompiledUpdate
from messaging.ids import UserId
from messaging.models import AccessToken, Conversation, Message, User
from tests.conftest import MakeUser
from tests.rows import overwrite


@CompiledQuery
def sent(*, sender: UserId) -> QuerySet[Message]:
    return Message.objects.filter(sender=sender).for_display().order_by("sequence")


@CompiledQuery
def users_of(*, people: Collection[int]) -> QuerySet[User]:
    return User.objects.filter(pk__in=people).order_by("pk")


@pytest.fixture
def messages(ann: User, bob: User) -> list[Message]:
    return [
        Message.objects.create(sender=sender, receiver=receiver, content=f"{number}")
        for number, (sender, receiver) in enumerate([(ann, bob), (bob, ann)] * 2)
    ]


def test_it_answers_for_the_parameters_it_is_given(
    ann: User, bob: User, messages: list[Message]
) -> None:
    assert sent.all(sender=UserId(ann.pk)) == messages[::2]
    assert sent.all(sender=UserId(bob.pk)) == messages[1::2]
    assert sent.all(sender=UserId(0)) == []
    assert sent.page(1, sender=UserId(bob.pk)) == [messages[1]]
    assert sent.first(sender=UserId(0)) is None


def test_it_sees_what_was_written_since(ann: User, messages: list[Message]) -> None:
    before = sent.all(sender=UserId(ann.pk))
    messages[0].content = "edited"
    messages[0].save()
    after = sent.all(sender=UserId(ann.pk))
    assert [message.content for message in before] == ["0", "2"]
    assert [message.content for message in after] == ["edited", "2"]


def test_its_instances_are_as_the_queryset_makes_them(
    ann: User, messages: list[Message]
) -> None:
    (made, *_) = sent.all(sender=UserId(ann.pk))
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
    (made, *_) = sent.all(sender=UserId(ann.pk))
    made.content = "edited"
    made.save()
    made.save()
    assert [kept.old_content for kept in made.history.all()] == ["0"]


def test_what_a_join_did_not_find_is_none(ann: User, messages: list[Message]) -> None:
    assert messages[0].pk
    overwrite(Message.objects.filter(pk=messages[0].pk), receiver=None)
    (made, *_) = sent.all(sender=UserId(ann.pk))
    assert made.receiver is None


def test_moments_are_compared_as_moments(make_user: MakeUser) -> None:
    @CompiledQuery
    def joined_before(*, moment: datetime) -> QuerySet[User]:
        return User.objects.filter(date_joined__lt=moment)

    user = make_user("early")
    moment = datetime(2001, 1, 1, tzinfo=UTC)
    User.objects.filter(pk=user.pk).update(date_joined=moment)
    assert joined_before.all(moment=moment) == []
    assert joined_before.all(moment=moment.replace(year=2002)) == [user]


def test_any_number_of_ids_is_one_statement(messages: list[Message]) -> None:
    @CompiledQuery
    def by_id(*, ids: Collection[int]) -> QuerySet[Message]:
        return Message.objects.filter(pk__in=ids).order_by("pk")

    ids = [message.pk for message in messages]
    for wanted in (ids, ids[1:2], []):
        with CaptureQueriesContext(connection) as captured:
            found = by_id.all(ids=wanted)
        assert [message.pk for message in found] == wanted
        assert len(captured) == 1


def test_values_are_tuples_in_the_order_they_were_named(
    ann: User, bob: User, messages: list[Message]
) -> None:
    @CompiledQuery
    def counts(
        *, people: Collection[int], sender: UserId
    ) -> QuerySet[User, tuple[str, int]]:
        theirs = Message.objects.filter(sender=sender)
        return users_of.build(people=people).values_list("username", number_of(theirs))

    rows = counts.all(people=[ann.pk, bob.pk], sender=UserId(ann.pk))
    assert [tuple(row) for row in rows] == [("ann", 2), ("bob", 2)]
    none = counts.all(people=[ann.pk], sender=UserId(0))
    assert [tuple(row) for row in none] == [("ann", 0)]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "sent takes sender, not nothing"),
        ({"sendr": 1}, "sent takes sender, not sendr"),
        ({"sender": 1, "receiver": 2}, "sent takes sender, not sender, receiver"),
        ({"sender": [1]}, r"sender takes int, not \[1\]"),
        ({"sender": None}, "sender takes int, not None"),
        ({"sender": "1"}, "sender takes int, not '1'"),
    ],
)
def test_parameters_are_those_of_the_function_and_of_their_kinds(
    db: None, given: dict[str, int], complaint: str
) -> None:
    with pytest.raises(TypeError, match=complaint):
        sent.all(**given)  # type: ignore[arg-type]  # what a caller without mypy might do


@pytest.mark.parametrize("given", [1, "12", None])
def test_ids_are_given_as_a_collection(db: None, given: Collection[int]) -> None:
    with pytest.raises(TypeError, match="people takes a collection of ids"):
        users_of.all(people=given)


def test_a_parameter_is_keyword_only_and_of_a_kind() -> None:
    def by_place(sender: UserId) -> QuerySet[Message]:
        raise NotImplementedError

    def optional(*, sender: int = 1) -> QuerySet[Message]:
        raise NotImplementedError

    def a_model(*, sender: User) -> QuerySet[Message]:
        raise NotImplementedError

    for build in (by_place, optional):
        with pytest.raises(TypeError, match=r"sender must be keyword-only"):
            CompiledQuery(build)
    with pytest.raises(TypeError, match=r"sender is of no kind"):
        CompiledQuery(a_model)


def test_a_parameter_that_the_query_does_not_hold_is_refused(db: None) -> None:
    """As when its value is looked at while the query is built."""

    @CompiledQuery
    def everybody(*, wanted: int) -> QuerySet[User]:
        return User.objects.all() if wanted == 1 else User.objects.none()

    @CompiledQuery
    def newest(*, digest: str, name: str) -> QuerySet[AccessToken]:
        return AccessToken.objects.filter(digest=digest)

    with pytest.raises(TypeError, match="newest does not use name"):
        newest.all(digest="", name="")
    with pytest.raises((TypeError, EmptyResultSet)):
        everybody.all(wanted=1)


def test_what_is_neither_instances_nor_tuples_is_refused(db: None) -> None:
    @CompiledQuery
    def flat(*, sender: UserId) -> QuerySet[Message, int]:
        return Message.objects.filter(sender=sender).values_list("pk", flat=True)

    @CompiledQuery
    def with_replies(*, sender: UserId) -> QuerySet[Message]:
        return sent.build(sender=sender).prefetch_related("replies")

    with pytest.raises(TypeError, match=r"neither instances nor values_list\(\)"):
        flat.all(sender=UserId(1))
    with pytest.raises(TypeError, match="prefetches"):
        with_replies.all(sender=UserId(1))


class _Shouted(CharField[str, str]):
    def from_db_value(self, value: str, *_: object) -> str:
        return f"{value}!"


class _Later(DateTimeField[datetime, datetime]):
    def from_db_value(self, value: datetime, *_: object) -> datetime:
        return value + timedelta(days=1)


class _Negated(BooleanField[bool, bool]):
    def from_db_value(self, value: bool, *_: object) -> bool:
        return not value


class _Doubled(IntegerField[int, int]):
    def from_db_value(self, value: int, *_: object) -> int:
        return 2 * value


def test_custom_fields_convert_their_values(ann: User) -> None:
    """Those that are Django's own underneath too."""

    @CompiledQuery
    def converted(*, user: UserId) -> QuerySet[User, tuple[object, ...]]:
        return User.objects.filter(pk=user).values_list(
            ExpressionWrapper(F("username"), _Shouted()),
            ExpressionWrapper(F("date_joined"), _Later()),
            ExpressionWrapper(F("is_active"), _Negated()),
            ExpressionWrapper(F("id"), _Doubled()),
        )

    (row,) = converted.all(user=UserId(ann.pk))
    (usual,) = converted.build(user=UserId(ann.pk))
    assert tuple(row) == tuple(usual)
    assert row[0] == "ann!"
    assert row[1:] == (ann.date_joined + timedelta(days=1), False, 2 * ann.pk)


def test_instances_are_made_by_django_where_somebody_listens(
    ann: User, messages: list[Message]
) -> None:
    made: list[object] = []

    def on_user_post_init(instance: User, **_: object) -> None:
        made.append(instance)

    post_init.connect(on_user_post_init, sender=User)
    try:
        (user,) = CompiledQuery(users_of.build).all(people=[ann.pk])
    finally:
        post_init.disconnect(on_user_post_init, sender=User)
    assert made == [user] == [ann]


def test_an_update_changes_what_its_queryset_would(
    ann: User, bob: User, messages: list[Message]
) -> None:
    @CompiledUpdate
    def advance(
        *, conversation: int, steps: int
    ) -> tuple[QuerySet[Conversation], dict[str, object]]:
        return Conversation.objects.filter(pk=conversation), {
            "version": F("version") + steps
        }

    conversation = messages[0].conversation
    before = Conversation.objects.get(pk=conversation.pk).version
    advance.run(conversation=conversation.pk + 1, steps=1)
    advance.run(conversation=conversation.pk, steps=3)
    assert Conversation.objects.get(pk=conversation.pk).version == before + 3
    with pytest.raises(TypeError, match="takes conversation, steps, not conversation"):
        advance.run(conversation=conversation.pk)  # type: ignore[call-arg]  # on purpose
