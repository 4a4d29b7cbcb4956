"""Sends a message and commits when it reads a line: `python -m tests.live.late_sender`.

Takes the usernames of sender and receiver, writes a line when the message is in
its open transaction, and commits after reading one.
"""

import sys

import django


def main(sender: str, receiver: str) -> None:
    from django.db import transaction  # noqa: PLC0415  # after django.setup()

    from messaging.models import Message, User  # noqa: PLC0415

    people = {user.username: user for user in User.objects.all()}
    with transaction.atomic():
        Message.objects.create(
            sender=people[sender], receiver=people[receiver], content="late"
        )
        sys.stdout.write("sent\n")
        sys.stdout.flush()
        sys.stdin.readline()


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:])
