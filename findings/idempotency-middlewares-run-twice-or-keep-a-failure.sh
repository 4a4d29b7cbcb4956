#!/usr/bin/env bash
# django-idempotency-key 1.3.0 and asgi-idempotency-header 0.2.0: two tries at once are two messages, and
# a failure is kept for a day.
#
# Expected: two requests with one key are one message, also while the first is still being answered,
# which is when a client tries again; the first one's documentation has a lock for that. And after
# a 503, which asks to try again later, a repetition is tried.
# Seen: django-idempotency-key holds its lock only while it looks the key up, so that both run; only one
# that comes after them is told of it. asgi-idempotency-header refuses the second meanwhile (409), but keeps
# a 503 in JSON as if it were a result: each repetition has it again, and nothing is ever written.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    django==5.2.19 django-idempotency-key==1.3.0 asgi-idempotency-header==0.2.0 \
    fastapi==0.165.0 starlette==1.10.0 httpx==0.28.1

cd "$folder"
cat > of_django.py <<'PYTHON'
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import django
from django.conf import settings

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="k" * 50,
    MIDDLEWARE=["idempotency_key.middleware.IdempotencyKeyMiddleware"],
)
django.setup()

from django.core.handlers.base import BaseHandler
from django.http import JsonResponse
from django.test import RequestFactory
from django.urls import path

kept = []
both_here = Barrier(2)


def send(request):
    try:
        both_here.wait(timeout=5)
    except BrokenBarrierError:
        pass
    kept.append("Tea at four?")
    return JsonResponse({"id": len(kept)}, status=201)


urlpatterns = [path("send", send)]
handler = BaseHandler()
handler.load_middleware()


def post(_):
    request = RequestFactory().post("/send", headers={"Idempotency-Key": "one"})
    return handler.get_response(request).status_code


def run():
    with ThreadPoolExecutor() as pool:
        statuses = list(pool.map(post, range(2)))
    return [*statuses, post(2)], len(kept)
PYTHON
cat > of_asgi.py <<'PYTHON'
import asyncio

import httpx
from idempotency_header_middleware import IdempotencyHeaderMiddleware
from idempotency_header_middleware.backends import MemoryBackend
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def post(client):
    return (await client.post("/send", headers={"Idempotency-Key": "one"})).status_code


async def tries(at_once, fails):
    """The statuses of three requests with one key, and how many messages are kept."""
    calls, kept = [], []

    async def send(request):
        calls.append(request)
        await asyncio.sleep(0.5)
        if len(calls) == 1 and fails:
            return JSONResponse({"error": "away"}, status_code=503, headers={"Retry-After": "1"})
        kept.append("Tea at four?")
        return JSONResponse({"id": len(kept)}, status_code=201)

    app = IdempotencyHeaderMiddleware(
        Starlette(routes=[Route("/send", send, methods=["POST"])]), backend=MemoryBackend()
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://chat.example"
    ) as client:
        if at_once:
            statuses = sorted(await asyncio.gather(post(client), post(client)))
        else:
            statuses = [await post(client), await post(client)]
        return [*statuses, await post(client)], len(kept)


def run(**how):
    return asyncio.run(tries(**how))
PYTHON

venv/bin/python - <<'PYTHON'
import logging
import sys

import of_asgi
import of_django

logging.disable()
seen = [
    ("django-idempotency-key, two at once, one later", of_django.run(), ([201, 201, 409], 2)),
    (
        "asgi-idempotency-header, two at once, one later",
        of_asgi.run(at_once=True, fails=False),
        ([201, 409, 201], 1),
    ),
    (
        "asgi-idempotency-header, the first is a 503",
        of_asgi.run(at_once=False, fails=True),
        ([503, 503, 503], 0),
    ),
]
for what, (statuses, kept), _ in seen:
    print(f"{what:48} answers {statuses}, messages kept: {kept}")
sys.exit(any(found != expected for _, found, expected in seen))
PYTHON
