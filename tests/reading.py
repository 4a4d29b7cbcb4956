"""Reading conversations, for tests of what follows from it."""

from messaging.access import Membership
from messaging.ids import Sequence
from messaging.sequence_ranges import SequenceRange
from messaging.services.notifications import mark_ranges_read


def read_up_to(*, membership: Membership, up_to: Sequence) -> None:
    ranges = [SequenceRange(Sequence(0), up_to)]
    mark_ranges_read(membership=membership, ranges=ranges)
