"""The search for people, by any part of their names.

First come those who have a name with a word that begins as typed, by an index: the cost
of a page is the same for any number of accounts. Then come those who have what was
typed elsewhere in a name, by reading the folded names of all accounts in order: see
decision 0031.
"""

from collections.abc import Sequence
from typing import Final, TypedDict

from django.db.models import Exists, OuterRef, Q, QuerySet
from django_stubs_ext import WithAnnotations

from messaging.cursors import decode_number, decode_word, encode_cursor
from messaging.errors import InvalidCursorError
from messaging.folding import words
from messaging.models import NameEntry, User
from messaging.pagination import Page
from messaging.projections import UserProjection
from messaging.text import is_storable

# Further search words are ignored: each costs a lookup for every row that is read.
_MOST_WORDS: Final = 8
_LONGEST_TYPED: Final = 200
# Index entries that one page reads at most. Many may not match: the user was found by
# an earlier word, is suspended, or lacks the other words.
_MOST_EXAMINED: Final = 2000
# Accounts whose names one page reads at most, about 30 ms of work.
_MOST_SCANNED: Final = 100_000
# The two kinds of cursors: an index entry, and an account's id.
_BEGINNINGS: Final = "users"
_WITHIN: Final = "users within"
# Sorts after every character that a word can have.
_LAST: Final = "\U0010ffff"


class _Match(TypedDict):
    matches: bool


def search_users(
    *, typed: str, cursor: str | None, limit: int, suspended: bool = False
) -> Page[User]:
    """Active users, or with `suspended` all users, who have all typed words in their names.

    Names and typed words are folded: case, accents and composition make no difference.
    First are those of whose words one begins as each typed word, in the order of the
    words found, then of their usernames; then the others, by the age of their accounts.

    A page reads a bounded number of rows: it may be short or empty, and yet have a
    cursor.
    """
    wanted = _wanted(typed)
    if not wanted:
        return Page([], None)
    place = "" if cursor is None else _place_of(cursor)
    active = (True, False) if suspended else (True,)
    if isinstance(place, int):
        return _page_within(wanted, place, limit, active)
    begun = _page_of_beginnings(wanted, place, limit, active)
    if begun.next_cursor is not None:
        return begun
    rest = _page_within(wanted, 0, limit - len(begun.items), active)
    return Page([*begun.items, *rest.items], rest.next_cursor)


def named(typed: str, *, relation: str) -> Q:
    """The condition that `typed` finds the user of a relation, by the same rule."""
    wanted = _wanted(typed)
    if not wanted:
        return Q(pk__in=())
    theirs = NameEntry.objects.filter(user=OuterRef(relation))
    return _begin(wanted, theirs) | _stand_in(wanted, f"{relation}__folded_name")


def _place_of(cursor: str) -> str | int:
    try:
        return decode_word(_BEGINNINGS, cursor)
    except InvalidCursorError:
        return decode_number(_WITHIN, cursor)


def _wanted(typed: str) -> list[str]:
    """The search words, longest first, without words that are the start of another one.

    The index is searched for the first word, and the others are looked up for each
    match: the longest word matches least.
    """
    if not is_storable(typed):
        return []
    found = dict.fromkeys(words(typed[:_LONGEST_TYPED]))
    wanted: list[str] = []
    for word in sorted(found, key=len, reverse=True):
        if not any(other.startswith(word) for other in wanted):
            wanted.append(word)
    return wanted[:_MOST_WORDS]


def _page_of_beginnings(
    wanted: Sequence[str], after: str, limit: int, active: Sequence[bool]
) -> Page[User]:
    """Those of whose words one begins as each search word.

    It reads about as many index entries as the page has users, and stops after about
    `_MOST_EXAMINED`.
    """
    users: list[tuple[User, str]] = []
    examined, count = 0, limit + 1
    while examined < _MOST_EXAMINED:
        rows = _examined(wanted, after, count, active)
        users += [(row.user, row.entry) for row in rows if row.matches]
        if len(users) > limit:
            return _page(users[:limit], users[limit - 1][1])
        if len(rows) < count:
            return _page(users, None)
        examined += count
        after = rows[-1].entry
        count *= 2
    return _page(users, after)


def _page(users: Sequence[tuple[User, str]], last: str | None) -> Page[User]:
    return Page(
        [user for user, _ in users],
        None if last is None else encode_cursor(_BEGINNINGS, last),
    )


def _examined(
    wanted: Sequence[str], after: str, count: int, active: Sequence[bool]
) -> "list[WithAnnotations[NameEntry, _Match]]":
    """The next entries that begin with the first search word, and whether each matches.

    An entry matches if it is the user's first one that begins with that word, if other
    entries of the user begin with the other words, and if the user is active.
    """
    first, *others = wanted
    theirs = NameEntry.objects.filter(user=OuterRef("user"))
    earlier = _beginning(theirs, first).filter(entry__lt=OuterRef("entry"))
    matches = Q(~Exists(earlier), user__is_active__in=active) & _begin(others, theirs)
    found = _beginning(NameEntry.objects.all(), first).filter(entry__gt=after)
    return list(
        found.annotate(matches=matches)
        .select_related("user")
        .only("entry", *UserProjection.columns("user"))
        .order_by("entry")[:count]
    )


def _page_within(
    wanted: Sequence[str], after: int, limit: int, active: Sequence[bool]
) -> Page[User]:
    """Those who are not in the pages of beginnings, and have the words in their names.

    Accounts are read by ascending id, from that of the cursor: all pages together read
    each name once.
    """
    last = after + _MOST_SCANNED
    theirs = NameEntry.objects.filter(user=OuterRef("pk"))
    matching = User.objects.filter(
        _stand_in(wanted, "folded_name"),
        ~_begin(wanted, theirs),
        is_active__in=active,
    )
    rows = list(
        matching.filter(pk__gt=after, pk__lte=last)
        .only(*UserProjection.columns())
        .order_by("pk")[: limit + 1]
    )
    users = rows[:limit]
    if len(rows) > limit:
        reached = users[-1].pk if users else after
        return Page(users, encode_cursor(_WITHIN, reached))
    more = User.objects.filter(pk__gt=last).exists()
    return Page(users, encode_cursor(_WITHIN, last) if more else None)


def _begin(wanted: Sequence[str], theirs: QuerySet[NameEntry]) -> Q:
    """Each search word is the beginning of an entry."""
    found = Q()
    for word in wanted:
        found &= Q(Exists(_beginning(theirs, word)))
    return found


def _stand_in(wanted: Sequence[str], column: str) -> Q:
    """Each search word stands anywhere in a folded name."""
    found = Q()
    for word in wanted:
        found &= Q((f"{column}__contains", word))
    return found


def _beginning(rows: QuerySet[NameEntry], word: str) -> QuerySet[NameEntry]:
    return rows.filter(entry__gte=word, entry__lt=f"{word}{_LAST}")
