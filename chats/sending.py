"""Sending from a form: once, however often it is sent."""

import hashlib
from http import HTTPStatus

from django.db import transaction

from messaging.access import Membership
from messaging.ids import MessageId, UserId
from messaging.services.idempotency import Outcome, claim, record
from messaging.services.messages import send_message


def send_once(
    *, membership: Membership, content: str, parent_id: MessageId | None, form: str
) -> MessageId:
    """Send what a form holds, unless just that was sent from this form before.

    A browser that got no answer, or a second click, sends the same again; who
    changed the text meanwhile wants another message. Raises what `send_message`
    does.
    """
    person = UserId(membership.user_id)
    named = f"{form}\n{membership.conversation_id}\n{parent_id}\n{content}"
    key = f"form {hashlib.sha256(named.encode()).hexdigest()}"
    with transaction.atomic():
        known = claim(person=person, key=key, fingerprint=key[:64])
        if known is not None:
            return MessageId(known.result_id)
        sent = send_message(membership=membership, content=content, parent_id=parent_id)
        record(person=person, key=key, outcome=Outcome(HTTPStatus.CREATED, sent.pk))
    return MessageId(sent.pk)
