"""Idempotent forms: a form that is submitted twice is executed once."""

import hashlib
import secrets
from collections.abc import Callable
from http import HTTPStatus

from django.db import transaction

from messaging.ids import UserId
from messaging.services.idempotency import Outcome, claim, record


def new_form_id() -> str:
    """A random id for a form on a page; together with the content it is the idempotency key."""
    return secrets.token_urlsafe(12)


def run_once(
    *, user_id: UserId, form: str, holds: tuple[object, ...], do: Callable[[], int]
) -> int:
    """Call `do`, unless the form with this id was submitted before with the same content.

    A double click, or a retry after a lost response, submits the same id and content.
    Changed content is a new request. A form without an id is never a repetition.

    Returns:
        The id of the row that `do` created, now or before.
    """
    if not form:
        return do()
    named = "\n".join(str(part) for part in (form, *holds))
    # The blank keeps it apart from keys of the API, which have none.
    key = f"form {hashlib.sha256(named.encode()).hexdigest()}"
    with transaction.atomic():
        known = claim(user_id=user_id, key=key, fingerprint=key[:64])
        if known is not None:
            return known.result_id
        made = do()
        record(user_id=user_id, key=key, outcome=Outcome(HTTPStatus.CREATED, made))
    return made
