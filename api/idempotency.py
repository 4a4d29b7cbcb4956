"""`Idempotency-Key`: a write that is sent again is answered again, not done again."""

import hashlib
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol

import orjson
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from api.authentication import Caller, authenticate
from api.errors import ANSWERED, answer
from api.parsing import render_json
from api.problems import problem_response
from api.resources import Resource
from messaging.errors import InvalidIdempotencyKeyError, NotFoundError
from messaging.services.idempotency import Outcome, claim, record

HEADER: Final = "Idempotency-Key"
_META_KEY: Final = "HTTP_IDEMPOTENCY_KEY"

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class Run(Protocol):
    def __call__(self, request: HttpRequest, **path: str) -> HttpResponseBase: ...


def once(result: Resource) -> Callable[[Run], Run]:
    """Let a write with a key happen once; only what succeeds is remembered."""

    def decorate(run: Run) -> Run:
        def running(request: HttpRequest, **path: str) -> HttpResponseBase:
            key = request.META.get(_META_KEY)
            if key is None:
                return run(request, **path)
            try:
                return _keyed(request, key, lambda: run(request, **path), result)
            except ANSWERED as error:
                return answer(request, error)

        return running

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
        known = claim(person=caller.id, key=key, fingerprint=_fingerprint(request))
        if known is None:
            return _first(caller, key, run)
    return _replay(request, caller, known, result)


def _first(
    caller: Caller, key: str, run: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    response = run()
    if (
        isinstance(response, HttpResponse)
        and response.status_code < HTTPStatus.MULTIPLE_CHOICES
    ):
        result_id: int = orjson.loads(response.content)["id"]
        outcome = Outcome(response.status_code, result_id)
        record(person=caller.id, key=key, outcome=outcome)
    else:
        # A refusal is no result: the claim goes with whatever was begun.
        transaction.set_rollback(True)
    return response


def _replay(
    request: HttpRequest, caller: Caller, known: Outcome, result: Resource
) -> HttpResponse:
    try:
        body, headers = result.show(caller, known.result_id)
    except NotFoundError:
        return problem_response(
            request,
            status=HTTPStatus.GONE,
            code="result_gone",
            detail="The request had succeeded; what it made is gone by now.",
        )
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
    named = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(named + request.body).hexdigest()
