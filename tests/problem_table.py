"""Whatever is refused: each class of the domain's errors, each fault of the edge."""

from collections.abc import Iterator

from edge import problems
from edge.problems import Fault
from messaging.errors import DomainError


def leaves(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    children = kind.__subclasses__()
    if not children:
        yield kind
    for child in children:
        yield from leaves(child)


ERRORS = tuple(leaves(DomainError))
FAULTS = tuple(each for each in vars(problems).values() if isinstance(each, Fault))
