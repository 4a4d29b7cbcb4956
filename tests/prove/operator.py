"""An operator at work beside servers: `python -m tests.prove.operator FOLDER GROUP …`.

Until its input ends: lets people in, of whom the first are in the last groups, has them
own those for a moment, write and hide, deletes several of them by one queryset, and
imports what was added to a talk.
"""

import json
import random
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import count, pairwise
from pathlib import Path
from threading import Thread
from typing import Final

import django
from django.core.management import call_command

_PEOPLE: Final = 3


def main(folder: str, groups: Sequence[int]) -> None:
    chance = random.Random(folder)
    ended = Thread(target=sys.stdin.read, daemon=True)
    ended.start()
    for number in count():
        if not ended.is_alive():
            break
        people = _come(groups)
        _import(Path(folder), number, chance)
        _delete(people)


def _come(groups: Sequence[int]) -> list[str]:
    """New people, each in one group and in its talk; the later, the lower its id."""
    from messaging.models import Message, User  # noqa: PLC0415  # after django.setup()
    from messaging.services.presence import set_shows_presence  # noqa: PLC0415

    users = [
        User.objects.create_user(f"passing-{secrets.token_hex(6)}")
        for _ in range(_PEOPLE)
    ]
    for user, group in zip(users, sorted(groups, reverse=True), strict=False):
        _let_in(user.username, group)
        _write(user.pk, group)
        set_shows_presence(user=user, shows_presence=False)
    for one, other in pairwise(users):
        Message.objects.create(sender=one, receiver=other, content="among us")
    return [user.username for user in users]


def _let_in(username: str, group: int) -> None:
    from messaging.access import ownership  # noqa: PLC0415
    from messaging.errors import DomainError  # noqa: PLC0415
    from messaging.ids import ConversationId, UserId  # noqa: PLC0415
    from messaging.models import Participant  # noqa: PLC0415
    from messaging.services.owners import add_owner, remove_owner  # noqa: PLC0415
    from messaging.services.participants import put_participant  # noqa: PLC0415

    owner = Participant.objects.filter(conversation=group, role="owner").first()
    if owner is None:
        return
    # It may be handed over at any moment.
    with suppress(DomainError):
        proof = ownership(
            owner=UserId(owner.user_id), conversation_id=ConversationId(group)
        )
        put_participant(group=proof, username=username, role="member")
        add_owner(group=proof, username=username)
        remove_owner(group=proof, username=username)


def _write(user_id: int, group: int) -> None:
    from messaging.errors import DomainError  # noqa: PLC0415
    from messaging.models import Message  # noqa: PLC0415

    with suppress(DomainError):
        Message.objects.create(
            sender_id=user_id, conversation_id=group, content="in passing"
        )


def _import(folder: Path, number: int, chance: random.Random) -> None:
    """A talk that two operators add to, of the same people."""
    lines = [
        {
            "id": f"talk/{folder.name}/{each}",
            "conversation": "talk",
            "sender": f"importee-{chance.randrange(4)}",
            "timestamp": f"2026-01-31T09:{each % 60:02}:00.000Z",
            "content": f"imported {each}",
            "parent_message": None,
        }
        for each in range(3 * (number + 1))
    ][-6:]
    path = folder / "talk.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    call_command("import_messages", str(path), verbosity=0, stdout=sys.stderr)


def _delete(usernames: Sequence[str]) -> None:
    from messaging.models import User  # noqa: PLC0415

    User.objects.filter(username__in=usernames).delete()


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], [int(group) for group in sys.argv[2:]])
