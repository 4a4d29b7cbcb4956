"""Probes for whatever watches over the server."""

from http import HTTPStatus

from django.core.cache import cache
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from api.problems import problem_response


@never_cache
@csrf_exempt
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and is migrated: requests can be served.

    The cache is reported, but its absence only makes pages slower.
    """
    fault = _database_fault()
    if fault is not None:
        return problem_response(
            request,
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            code="not_ready",
            detail=fault,
        )
    return JsonResponse({"status": "ready", "cache": "ok" if _caches() else "down"})


def _database_fault() -> str | None:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "The database is not migrated: run `manage.py migrate`."
    except Error:
        return "The database does not answer."
    return None


def _caches() -> bool:
    cache.set("readyz", "ok", timeout=10)
    kept: object = cache.get("readyz")
    return kept == "ok"
