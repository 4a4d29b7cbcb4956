"""Ranges of a conversation's messages, by their sequences."""

from bisect import bisect_left
from collections import abc
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from messaging.ids import Sequence

# Ranges that one request may name: more than a screen has, or a scroll through many.
MOST_RANGES: Final = 100


@dataclass(frozen=True, slots=True, order=True)
class SequenceRange:
    """The messages from `first` to `last`, both included; empty if `last` is smaller."""

    first: Sequence
    last: Sequence


def merged(ranges: Iterable[SequenceRange]) -> list[SequenceRange]:
    """The same sequences in ascending ranges, of which no two overlap or adjoin."""
    disjoint: list[SequenceRange] = []
    for each in sorted(each for each in ranges if each.first <= each.last):
        if disjoint and each.first <= disjoint[-1].last + 1:
            before = disjoint.pop()
            each = SequenceRange(before.first, max(before.last, each.last))  # noqa: PLW2901  # it takes the place of both
        disjoint.append(each)
    return disjoint


def within(ranges: abc.Sequence[SequenceRange], sequence: int) -> bool:
    """Whether a sequence is in one of these ascending, disjoint ranges."""
    index = bisect_left(ranges, sequence, key=attrgetter("last"))
    return index < len(ranges) and ranges[index].first <= sequence


def clusters(
    ranges: Iterable[SequenceRange], *, width: int
) -> list[list[SequenceRange]]:
    """Ascending, disjoint ranges by neighbourhood: what lies between is read with them.

    A cluster spans at most `width` sequences. Ranges that are wider by themselves are
    one cluster, whatever it spans.
    """
    found: list[list[SequenceRange]] = []
    wide: list[SequenceRange] = []
    for each in ranges:
        if each.last - each.first >= width:
            wide.append(each)
        elif found and each.last - found[-1][0].first < width:
            found[-1].append(each)
        else:
            found.append([each])
    return [*found, wide] if wide else found
