"""`Message.unread`, the manager of the inbox."""

import pytest
from django.db.models import QuerySet
from pytest_django import DjangoAssertNumQueries

from messaging.errors import BypassError
from messaging.models import Message, User
from tests.rows import overwrite


def test_it_finds_what_someone_has_not_read_newest_first(
    ann: User, bob: User, message: Message
) -> None:
    newer = Message.objects.create(sender=ann, receiver=bob, content="newer")
    Message.objects.create(sender=bob, receiver=ann, content="mine")
    assert list(Message.unread.for_user(bob)) == [newer, message]
    overwrite(bob.notifications.filter(message=newer), is_read=True)
    assert list(Message.unread.for_user(bob)) == [message]


def test_one_query_loads_all_that_an_inbox_shows(
    ann: User,
    bob: User,
    message: Message,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        (unread,) = [row.projection() for row in Message.unread.for_user(bob)]
    assert (unread.content, unread.sender, unread.receiver) == (
        "hello",
        message.projection().sender,
        message.projection().receiver,
    )


def test_only_what_an_inbox_shows_is_loaded(bob: User, message: Message) -> None:
    unread = Message.unread.for_user(bob).get()
    assert unread.sender is not None
    assert unread.receiver is not None
    assert unread.get_deferred_fields() == {"external_id"}
    all_rows = {field.attname for field in User._meta.concrete_fields}
    for person in (unread.sender, unread.receiver):
        loaded = all_rows - person.get_deferred_fields()
        assert loaded == {"id", "username", "display_name"}


def test_it_is_not_the_manager_that_django_uses(message: Message) -> None:
    assert Message._default_manager.model is Message
    assert list(Message._default_manager.all()) == [message]
    assert list(message.conversation.messages.all()) == [message]
    assert type(Message._default_manager) is type(Message.objects)


def test_it_guards_content_too(message: Message) -> None:
    unread: QuerySet[Message] = Message.unread.get_queryset()
    with pytest.raises(BypassError):
        unread.update(content="x")
    assert Message.objects.get().content == "hello"
