"""Finds users with the same display name; pages show their usernames as well."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from messaging.folding import case_folded
from messaging.ids import UserId


class Named(Protocol):
    @property
    def pk(self) -> int: ...

    @property
    def display_name(self) -> str: ...


def namesakes(users: Iterable[Named | None]) -> frozenset[UserId]:
    """Those of these users who share a display name, in any case, with another one of them."""
    bearers: dict[str, set[UserId]] = defaultdict(set)
    for user in users:
        if user is not None:
            bearers[case_folded(user.display_name)].add(UserId(user.pk))
    return frozenset().union(*(ids for ids in bearers.values() if len(ids) > 1))
