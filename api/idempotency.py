"""Idempotent writes: a repeated request with the same Idempotency-Key is executed once."""

import hashlib
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import orjson
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from api.authentication import Caller, authenticate
from api.errors import ANSWERED, answer
from api.ninja_internals import Run
from api.parsing import render_json
from api.resources import Resource
from edge.problems import RESULT_GONE, fault_response
from messaging.errors import InvalidIdempotencyKeyError, NotFoundError
from messaging.services.idempotency import Outcome, claim, record

HEADER: Final = "Idempotency-Key"
_META_KEY: Final = "HTTP_IDEMPOTENCY_KEY"

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def idempotent(result: Resource) -> Callable[[Run], Run]:
    """Decorator: make a write idempotent. Only successful results are stored."""

    def decorate(run: Run) -> Run:
        def wrapped(request: HttpRequest, **path: str) -> HttpResponseBase:
            key = request.META.get(_META_KEY)
            if key is None:
                return run(request, **path)
            try:
                return _keyed(request, key, lambda: run(request, **path), result)
            except ANSWERED as error:
                return answer(request, error)

        return wrapped

    return decorate


def _keyed(
    request: HttpRequest,
    key: str,
    run: Callable[[], HttpResponseBase],
    result: Resource,
) -> HttpResponseBase:
    if not _KEY.fullmatch(key):
        raise InvalidIdempotencyKeyError(
            "An Idempotency-Key has 1 to 255 printable ASCII characters.", field=HEADER
        )
    caller = authenticate(request)
    with transaction.atomic():
        known = claim(user_id=caller.id, key=key, fingerprint=_fingerprint(request))
        if known is None:
            return _run_and_record(caller, key, run)
    return _replay(request, caller, known, result)


def _run_and_record(
    caller: Caller, key: str, run: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    response = run()
    if (
        isinstance(response, HttpResponse)
        and response.status_code < HTTPStatus.MULTIPLE_CHOICES
    ):
        result_id: int = orjson.loads(response.content)["id"]
        outcome = Outcome(response.status_code, result_id)
        record(user_id=caller.id, key=key, outcome=outcome)
    else:
        # Errors are not stored: roll back the claim with the write, so that the client
        # can use the key again.
        transaction.set_rollback(True)
    return response


def _replay(
    request: HttpRequest, caller: Caller, known: Outcome, result: Resource
) -> HttpResponse:
    try:
        body, headers = result.show(caller, known.result_id)
    except NotFoundError:
        return fault_response(request, RESULT_GONE)
    response = HttpResponse(
        render_json(body.model_dump()),
        status=known.status,
        content_type="application/json; charset=utf-8",
        headers={**headers, "Idempotency-Replayed": "true"},
    )
    if known.status == HTTPStatus.CREATED:
        response["Location"] = result.location(known.result_id)
    return response


def _fingerprint(request: HttpRequest) -> str:
    # The same key with another body is a mistake of the client, not a repetition.
    named = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(named + request.body).hexdigest()
