"""Finds and repairs search indexes that do not match their names and titles.

Only Python can fold, so that all rows are read, a batch at a time.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from django.db.models import Model, QuerySet

from messaging.changes import Change
from messaging.folding import fold
from messaging.models import Conversation, NameEntry, User
from messaging.models.conversations import ConversationKind
from messaging.services.names import entries, folded_name, renew_entries

AnyModel = TypeVar("AnyModel", bound=Model)

_BATCH: Final = 500


def wrongly_indexed_users(users: QuerySet[User]) -> Iterator[User]:
    """Users whose folded name or index entries do not match their names."""
    for batch in _batches(users.only("username", "display_name", "folded_name")):
        known: dict[int, set[str]] = {user.pk: set() for user in batch}
        rows = NameEntry.objects.filter(user__in=batch).values_list("user", "entry")
        for user_id, entry in rows:
            known[user_id].add(entry)
        for user in batch:
            folded = folded_name(user.username, user.display_name)
            if known[user.pk] != {*entries(user)} or user.folded_name != folded:
                yield user


def lock_user(user_id: int, change: Change) -> QuerySet[User]:
    return change.locked(User.objects.filter(pk=user_id))


def reindex_users(users: Iterable[User], change: Change) -> None:
    """Write the folded names and index entries of users again."""
    for user in users:
        folded = folded_name(user.username, user.display_name)
        change.update(User.objects.filter(pk=user.pk), folded_name=folded)
        renew_entries(user)


def wrongly_indexed_groups(groups: QuerySet[Conversation]) -> Iterator[Conversation]:
    """Groups whose folded title does not match their title."""
    titled = groups.filter(kind=ConversationKind.GROUP).only("title", "folded_title")
    for batch in _batches(titled):
        yield from (each for each in batch if each.folded_title != fold(each.title))


def lock_group(conversation_id: int, change: Change) -> QuerySet[Conversation]:
    group = Conversation.objects.filter(pk=conversation_id)
    change.lock_all(group)
    return group


def reindex_groups(groups: Iterable[Conversation], change: Change) -> None:
    """Write the folded titles of groups again."""
    for group in groups:
        rows = Conversation.objects.filter(pk=group.pk)
        change.update(rows, folded_title=fold(group.title))


def _batches(rows: QuerySet[AnyModel]) -> Iterator[list[AnyModel]]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        yield batch
        last = batch[-1].pk
