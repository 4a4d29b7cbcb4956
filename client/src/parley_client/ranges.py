"""Ranges of what was seen of a conversation."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from parley_client.models import ReadIn, SequenceRangeIn

# Ranges that one request may hold.
_MOST: Final = 100


def seen(sequences: Iterable[int]) -> Iterator[ReadIn]:
    """The requests that mark just these read: mostly one."""
    ranges = list(_ranges(sorted(set(sequences))))
    for start in range(0, len(ranges), _MOST):
        yield ReadIn(ranges=ranges[start : start + _MOST])


def _ranges(ascending: list[int]) -> Iterator[SequenceRangeIn]:
    for _, run in groupby(enumerate(ascending), _offset):
        sequences = [sequence for _, sequence in run]
        yield SequenceRangeIn(first_sequence=sequences[0], last_sequence=sequences[-1])


def _offset(place: tuple[int, int]) -> int:
    """The same within a range: there, a sequence and its index rise alike."""
    index, sequence = place
    return sequence - index
