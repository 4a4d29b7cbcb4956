"""Health probes: `/healthz` (liveness) and `/readyz` (readiness)."""

import math
import time
from dataclasses import replace
from threading import Lock
from typing import Final

from django.core.cache import cache
from django.db import Error, connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from edge.problems import NOT_READY, fault_response
from messaging.database import fetch_all
from messaging.services.installation import secret_key_is_known
from messaging.services.migrations import missing_migrations

# The key of the time at which a request arrived (`time.monotonic()`); the server sets
# it.
ARRIVED: Final = "parley.arrived"


@never_cache
@csrf_exempt
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is alive."""
    return JsonResponse({"status": "ok"})


@never_cache
@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers, is migrated and takes writes, so that requests can be served.

    The response also reports the cache. Without it, pages are only slower.
    """
    fault = _checks.fault(arrived=request.META.get(ARRIVED, math.inf))
    if fault is not None:
        return fault_response(request, replace(NOT_READY, detail=fault))
    return JsonResponse(
        {"status": "ready", "cache": "ok" if _cache_answers() else "down"}
    )


class _Checks:
    """Checks the database once for all requests that wait at the same time.

    Anyone may send these requests, as often as they like. A check that began after a
    request arrived answers that request too.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._began = -math.inf
        self._fault: str | None = None
        # The applied migrations at the last check that missed none: comparing them
        # again takes long.
        self._complete: frozenset[tuple[str, str]] = frozenset()
        # The start compares it too, but for a database that is away.
        self._key_is_known = False

    def fault(self, *, arrived: float) -> str | None:
        with self._lock:
            if self._began < arrived:
                self._began = time.monotonic()
                self._fault = self._find_fault()
            return self._fault

    def _find_fault(self) -> str | None:
        try:
            applied = frozenset(MigrationRecorder(connection).applied_migrations())
            if applied != self._complete:
                if missing_migrations():
                    return "The database is not migrated: run `manage.py migrate`."
                self._complete = applied
            if not self._key_is_known:
                if not secret_key_is_known():
                    return "PARLEY_SECRET_KEY is not that of the other nodes."
                self._key_is_known = True
            if _is_read_only():
                return "The database takes no writes."
        except Error:
            return "The database does not answer."
        return None


_checks: Final = _Checks()


def _is_read_only() -> bool:
    """Whether it is a standby, or was made read-only, as PostgreSQL's may be."""
    if connection.vendor != "postgresql":
        return False
    return fetch_all("SHOW transaction_read_only") == [("on",)]


def _cache_answers() -> bool:
    cache.set("readyz", "ok", timeout=10)
    kept: object = cache.get("readyz")
    return kept == "ok"
