"""What the notifications of an older database tell of who was notified from when on."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from messaging.ids import UserId
from messaging.models import Conversation, Message, Participant, User
from messaging.services.events import read_log
from messaging.services.notifications import mark_message_unread
from messaging.services.participants import put_participant
from tests.conftest import MakeUser
from tests.proofs import membership_of, owned_by, received_by

_MIGRATION = import_module("messaging.migrations.0025_participants_are_notified_from")


def _say(sender: User, group: Conversation, *contents: str) -> list[Message]:
    return [
        Message.objects.create(sender=sender, conversation=group, content=content)
        for content in contents
    ]


def _notified_from(group: Conversation) -> dict[str, int]:
    return dict(
        Participant.objects.filter(conversation=group).values_list(
            "user__username", "notified_from"
        )
    )


@pytest.mark.django_db
def test_who_joined_later_is_notified_from_there_on(
    ann: User, bob: User, group: Conversation, make_user: MakeUser
) -> None:
    make_user("dora")
    eve = make_user("eve")
    first, _ = _say(ann, group, "One", "Two")
    put_participant(group=owned_by(ann, group), username="eve", role="member")
    mark_message_unread(message=received_by(eve, first), reader=UserId(eve.pk))
    _say(bob, group, "Three")
    put_participant(group=owned_by(ann, group), username="dora", role="member")
    # The positions of what tells of it: on PostgreSQL they come later.
    read_log()
    known = _notified_from(group)
    assert (known["eve"], known["dora"]) == (3, 4)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_participant SET notified_from = 99")
    _MIGRATION.note_first_notifications(apps, connection.schema_editor(atomic=False))
    # Ann's first message from another is Bob's; her own tell nothing.
    assert _notified_from(group) == {**known, "ann": 3, "bob": 1, "cleo": 1}
    assert membership_of(eve, group).notified_from == 3
