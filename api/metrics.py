"""What is counted for Prometheus, and who may read it.

With PROMETHEUS_MULTIPROC_DIR, which scripts/serve sets, all worker processes count
together; without it each counts for itself.
"""

import hmac
import ipaddress
import os
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from api.logs import method_of, route_of
from messaging.models import Message
from messaging.services.limits import refused

# Whatever a client sends, there are only so many of each label's values.
_REQUESTS: Final = Counter(
    "parley_requests", "Requests answered.", ["method", "route", "status"]
)
_SECONDS: Final = Histogram(
    "parley_request_duration_seconds",
    "Time until an answer began.",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_PAGE_CACHE: Final = Counter(
    "parley_page_cache", "Conversation pages, found in the cache or not.", ["result"]
)
_MESSAGES_SENT: Final = Counter("parley_messages_sent", "Messages sent.")
_REFUSED: Final = Counter(
    "parley_refused_requests", "Requests refused by a rate limit.", ["policy"]
)

# A proxy on this machine sets one of them: then loopback says nothing of the client.
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP")


# The library looks its own up under a lock, after making text of each label.
@cache
def _requests(method: str, route: str, status: int) -> Counter:
    return _REQUESTS.labels(method, route, str(status))


@cache
def _seconds(method: str, route: str) -> Histogram:
    return _SECONDS.labels(method, route)


def count_answered(
    request: HttpRequest, response: HttpResponseBase, seconds: float
) -> None:
    method, route = method_of(request), route_of(request)
    _requests(method, route, response.status_code).inc()
    _seconds(method, route).observe(seconds)
    if result := response.headers.get("X-Cache"):
        _PAGE_CACHE.labels(result).inc()


@receiver(refused, dispatch_uid="api.metrics.limits.refused")
def on_limit_refused(sender: object, *, limit: str, **kwargs: object) -> None:
    _REFUSED.labels(limit).inc()


@receiver(post_save, sender=Message, dispatch_uid="api.metrics.message.post_save")
def on_message_post_save(
    sender: type[Message], *, created: bool, raw: bool, **kwargs: object
) -> None:
    if created and not raw:
        transaction.on_commit(_MESSAGES_SENT.inc, robust=True)


@never_cache
@csrf_exempt
def metrics(request: HttpRequest) -> HttpResponse:
    """All counters; to everyone else there is nothing at this address."""
    if not _may_read(request):
        raise Http404
    if request.method not in {"GET", "HEAD"}:
        return HttpResponse(
            status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"}
        )
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    if not settings.PARLEY_METRICS_DIR:
        return REGISTRY
    _forget_the_dead(Path(settings.PARLEY_METRICS_DIR))
    registry = CollectorRegistry()
    MultiProcessCollector(  # type: ignore[no-untyped-call]  # as it ships
        registry, path=settings.PARLEY_METRICS_DIR
    )
    return registry


def _forget_the_dead(counted: Path) -> None:
    """Remove what processes held that were killed; what they counted remains."""
    for held in counted.glob("gauge_live*_*.db"):
        if not _is_alive(int(held.stem.rpartition("_")[2])):
            held.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Somebody else's by now, which is counted until that ends as well.
        return True
    return True


def _may_read(request: HttpRequest) -> bool:
    """With the token; without one set, from this machine and through no proxy."""
    if settings.PARLEY_METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        expected = f"Bearer {settings.PARLEY_METRICS_TOKEN}"
        return hmac.compare_digest(given.encode(), expected.encode())
    if any(header in request.headers for header in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
