"""Tombstones: which of them a reply tree still needs, found on the way up from replies."""

from collections.abc import Mapping
from typing import TypedDict

from django.db.models import Exists, OuterRef, Q, QuerySet
from django_cte import CTE, with_cte

from messaging.models import Message


class PlacedRow(TypedDict):
    """A message's place in its conversation and reply tree."""

    id: int
    parent_message_id: int | None
    sequence: int


def with_ancestors(
    first: QuerySet[Message], *, among: QuerySet[Message]
) -> QuerySet[Message, PlacedRow]:
    """These messages and their ancestors, each up to the first that is not `among` those.

    One recursive query, whatever the length of the chains.
    """

    def climb(chain: CTE) -> QuerySet[Message, Mapping[str, object]]:
        above = chain.join(among, id=chain.col.parent_message_id)
        # UNION without ALL: branches with a common ancestor continue as one, and it ends
        # even if parents form a circle.
        return first.values("id", "parent_message_id", "sequence").union(
            above.values("id", "parent_message_id", "sequence")
        )

    chain = CTE.recursive(climb, name="kept")
    rows: QuerySet[Message, PlacedRow] = with_cte(chain, select=chain.queryset())
    return rows


def needed_among(
    emptied: QuerySet[Message], *, surviving: Q
) -> QuerySet[Message, Mapping[str, object]]:
    """Ids of messages that must stay as tombstones, because replies below them survive.

    One stays if it has a surviving reply, or is an ancestor of one that stays.
    """
    replies = Message.objects.filter(surviving, parent_message=OuterRef("pk"))
    kept: QuerySet[Message, Mapping[str, object]] = with_ancestors(
        emptied.filter(Exists(replies)), among=emptied
    ).values("id")
    return kept
