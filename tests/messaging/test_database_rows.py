"""Rows inserted and erased by one statement are as the ORM would leave them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import DateTimeField, IntegerField, Model, QuerySet
from django.db.models.functions import Now
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.changes import open_change
from messaging.database import erase_rows
from messaging.database.inserts import Linked, insert_linked, insert_rows
from messaging.database.writes import (
    CompiledUpdate,
    returned_by_erasing,
    returned_by_updating,
)
from messaging.models import (
    Conversation,
    Event,
    LimitCounter,
    Message,
    MessageHistory,
    Notification,
    User,
)
from messaging.services.conversations import start_group
from tests.messaging.other_connection import only_postgres

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def _events(count: int) -> list[Event]:
    return [
        Event(pk=position, position=position, type="user.updated", created_at=LONG_AGO)
        for position in range(1, count + 1)
    ]


@pytest.mark.django_db
def test_rows_are_written_with_all_their_values() -> None:
    insert_rows(Event, _events(3), with_ids=True)
    assert list(Event.objects.order_by("position")) == _events(3)
    assert {event.created_at for event in Event.objects.all()} == {LONG_AGO}


@only_postgres
@pytest.mark.django_db
def test_rows_are_written_with_the_ids_of_others_and_beside_updates(ann: User) -> None:
    group = start_group(owner=ann, title="Group", usernames=[]).conversation
    message = Message.objects.create(conversation=group, sender=ann, content="Hello.")
    first, second = (Event(type="user.updated", created_at=LONG_AGO) for _ in range(2))
    versions = [
        MessageHistory(
            message=message, conversation=group, version=version, edited_by=ann
        )
        for version in (1, 2, 3)
    ]
    links = [
        Linked(second, "position", versions[:2]),
        Linked(first, "position", versions[2:]),
    ]
    with CaptureQueriesContext(connection) as captured:
        insert_linked(
            [first, second], links, besides=[_renamed.bound(group=group.pk, title="B")]
        )
    assert len(captured) == 1
    assert first.pk < second.pk
    assert [version.position for version in versions] == [second.pk] * 2 + [first.pk]
    stored = MessageHistory.objects.order_by("version")
    assert [each.position for each in stored] == [second.pk] * 2 + [first.pk]
    assert [*Event.objects.filter(pk__in=[first.pk, second.pk]).order_by("pk")] == [
        first,
        second,
    ]
    group.refresh_from_db()
    assert group.title == "B"


@only_postgres
@pytest.mark.django_db
def test_a_value_that_is_too_long_is_refused_and_not_cut(ann: User) -> None:
    """By a cast to a type with a length it would be cut. SQLite knows no lengths."""
    group = start_group(owner=ann, title="Group", usernames=[]).conversation
    message = Message.objects.create(conversation=group, sender=ann, content="Hello.")
    event = Event(type="user.updated")
    notified = Notification(
        user=ann, message=message, conversation=group, kind="longer than it may be"
    )
    for rows, links in (
        ([Event(type="x" * 1000)], []),
        ([event], [Linked(event, "position", [notified])]),
    ):
        with pytest.raises(DataError), transaction.atomic():
            insert_linked(rows, links)
    assert not Notification.objects.exists()


@pytest.mark.django_db
def test_no_rows_are_no_statement() -> None:
    with CaptureQueriesContext(connection) as captured:
        insert_rows(Event, [])
    assert len(captured) == 0


@pytest.mark.django_db
def test_a_field_is_asked_what_it_saves(monkeypatch: pytest.MonkeyPatch) -> None:
    field = Event._meta.get_field("created_at")
    monkeypatch.setattr(field, "auto_now_add", True)
    before = timezone.now()
    insert_rows(Event, _events(1), with_ids=True)
    assert Event.objects.get().created_at >= before


def test_a_column_that_the_database_fills_in_is_refused() -> None:
    class Stamped(Model):  # noqa: DJ008  # never a row of it
        number = IntegerField()
        made_at = DateTimeField(db_default=Now())

        class Meta:
            app_label = "nowhere"

    with pytest.raises(TypeError, match=r"made_at is for bulk_create\(\)"):
        insert_rows(Stamped, [Stamped(number=1)])


@pytest.mark.django_db
def test_erasing_is_one_statement_and_says_how_many() -> None:
    counters = [
        LimitCounter(key=f"{number}", used=1, expires_at=LONG_AGO)
        for number in range(3)
    ]
    LimitCounter.objects.bulk_create(counters)
    with CaptureQueriesContext(connection) as captured:
        assert erase_rows(LimitCounter.objects.filter(key__lte="1")) == 2
    assert len(captured) == 1
    assert LimitCounter.objects.get().key == "2"


def _erased_by_a_change(rows: QuerySet[LimitCounter]) -> None:
    with open_change() as change:
        change.erase(rows)


@pytest.mark.parametrize(
    "write",
    [
        lambda some: returned_by_updating(some, {"type": "x"}, returning="position"),
        lambda some: returned_by_erasing(some, returning="position"),
    ],
)
@pytest.mark.django_db
def test_a_slice_is_neither_updated_nor_erased(
    write: Callable[[QuerySet[Event]], object],
) -> None:
    """The statement would leave out the limit, and so write all rows."""
    insert_rows(Event, _events(2), with_ids=True)
    with pytest.raises(TypeError):
        write(Event.objects.order_by("position")[:1])
    assert list(Event.objects.order_by("position")) == _events(2)


@pytest.mark.parametrize("erase", [erase_rows, _erased_by_a_change])
@pytest.mark.django_db
def test_a_slice_of_rows_without_a_guard_is_not_erased(
    erase: Callable[[QuerySet[LimitCounter]], object],
) -> None:
    LimitCounter.objects.bulk_create(
        LimitCounter(key=key, used=1, expires_at=LONG_AGO) for key in "ab"
    )
    with pytest.raises(TypeError):
        erase(LimitCounter.objects.order_by("key")[:1])
    assert LimitCounter.objects.count() == 2


@CompiledUpdate
def _renamed(
    *, group: int, title: str
) -> tuple[QuerySet[Conversation], Mapping[str, object]]:
    return Conversation.objects.filter(pk=group), {"title": title}


@CompiledUpdate
def _one_position(*, position: int) -> tuple[QuerySet[Event], Mapping[str, object]]:
    return Event.objects.all(), {"position": position}


@pytest.mark.parametrize(
    "write",
    [
        lambda: insert_rows(Event, _events(1), with_ids=True),
        lambda: returned_by_updating(
            Event.objects.all(), {"position": 7}, returning="position"
        ),
        lambda: _one_position.run(position=7),
    ],
)
@pytest.mark.django_db
def test_what_the_database_refused_is_rolled_back_even_if_it_is_caught(
    write: Callable[[], object],
) -> None:
    """As after `QuerySet.update()`; PostgreSQL would go on with no transaction anyway."""
    with transaction.atomic():
        insert_rows(Event, _events(2), with_ids=True)
        with suppress(IntegrityError):
            write()
        with pytest.raises(TransactionManagementError):
            Event.objects.count()
    assert not Event.objects.exists()
