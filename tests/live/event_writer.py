"""A process that writes until it is killed: `python -m tests.live.event_writer SEED`.

Each event says what its writer saw: it is number `first_sequence` of its conversation, and
number `last_sequence` of the conversation `message_id` had been committed before. With
`--send` before the seed it sends messages to the conversation that there is; with
`--number` it numbers what others write.
"""

import random
import sys
import time
from contextlib import suppress
from typing import Final

import django
from django.db import transaction

# Seconds for which a transaction stays open: most are short, some are not.
_PAUSES: Final = (*[0.0] * 20, *[0.002] * 10, *[0.02] * 5, 0.3)


class _ChangedMindError(Exception):
    pass


def _write(draw: random.Random) -> None:
    # After django.setup().
    from messaging.changes import changing_all  # noqa: PLC0415
    from messaging.models import Conversation, Event  # noqa: PLC0415
    from messaging.models.events import EventType  # noqa: PLC0415

    ids = [*Conversation.objects.order_by("pk").values_list("pk", flat=True)]
    own, other = draw.sample(ids, 2)
    with changing_all(Conversation.objects.filter(pk=own)) as change:
        number = change.conversation(own).last_sequence + 1
        seen = Conversation.objects.get(pk=other).last_sequence
        time.sleep(draw.choice(_PAUSES))
        change.renew(own, last_sequence=number)
        change.record(
            Event(
                type=EventType.CONVERSATION_UPDATED,
                conversation_id=own,
                first_sequence=number,
                message_id=other,
                last_sequence=seen,
            )
        )


def _send(draw: random.Random) -> None:
    from messaging.models import Conversation, Message  # noqa: PLC0415

    group = Conversation.objects.get()
    sender = group.participants.order_by("pk")[0].user
    Message.objects.create(conversation=group, sender=sender, content="Hello.")


def _number(draw: random.Random) -> None:
    from messaging.services.events import read_log  # noqa: PLC0415

    time.sleep(draw.uniform(0, 0.01))
    read_log()


def main() -> None:
    django.setup()
    acts = {"--send": _send, "--number": _number}
    act = acts.get(sys.argv[1], _write)
    draw = random.Random(sys.argv[-1])
    while True:
        with suppress(_ChangedMindError), transaction.atomic():
            act(draw)
            # What is written has its number, and nobody sees it.
            time.sleep(draw.choice(_PAUSES))
            if draw.random() < 0.15:
                raise _ChangedMindError


if __name__ == "__main__":
    main()
