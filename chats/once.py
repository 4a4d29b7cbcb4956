"""Doing what a form asks for once, however often it is sent."""

import hashlib
import secrets
from collections.abc import Callable
from http import HTTPStatus

from django.db import transaction

from messaging.ids import UserId
from messaging.services.idempotency import Outcome, claim, record


def new_form_name() -> str:
    """Names a form that is shown, so that what it holds is done once."""
    return secrets.token_urlsafe(12)


def once(
    *, person: UserId, form: str, holds: tuple[object, ...], do: Callable[[], int]
) -> int:
    """Make what a form of this name holds, unless just that was made from it before.

    A browser that got no answer, or a second click, sends the same again; who
    changed something meanwhile wants another one. Answers the id of what `do` made,
    and raises what it does. A form without a name is another one each time.
    """
    if not form:
        return do()
    named = "\n".join(str(part) for part in (form, *holds))
    key = f"form {hashlib.sha256(named.encode()).hexdigest()}"
    with transaction.atomic():
        known = claim(person=person, key=key, fingerprint=key[:64])
        if known is not None:
            return known.result_id
        made = do()
        record(person=person, key=key, outcome=Outcome(HTTPStatus.CREATED, made))
    return made
