from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size`, taken one after the other from a stream."""
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch
