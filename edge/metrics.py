"""Prometheus metrics, and access to them.

With PROMETHEUS_MULTIPROC_DIR, which scripts/serve sets, all worker processes count
together. Without it, each process counts alone.
"""

import hmac
import ipaddress
import os
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
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

from edge.logs import method_of, route_of
from messaging.models import Message
from messaging.services.limit_counters import limit_reached

# Label values are bounded sets, whatever clients send: each value is a time series.
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

# Headers that proxies add. Behind a proxy on this machine, every request has a local
# address.
_FORWARDED: Final = re.compile(
    r"Forwarded|Via|Cdn-Loop|Max-Forwards|True-.+|Cf-.+|Fastly-.+|Fly-.+|X-Scheme"
    r"|X-(Amz|Azure|Nginx|Envoy|Forward|Original|Real|Proxy|Cluster|Vercel|Cloud|Arr-"
    r"|Appengine|Goog|Akamai|Varnish|Traefik|B3-|Request-Start|Queue-Start).*"
    r"|.*(Client|Connecting|Remote|Source|Peer)-?(Ip|Addr|Address|Host|Port|Proto).*"
    r"|.*Forwarded.*|.*Request-Start",
    re.IGNORECASE,
)

# Proxies such as nginx use HTTP/1.0 by default; granian calls it `HTTP/1`.
_HTTP_1_0: Final = ("HTTP/1.0", "HTTP/1")


# Cached: the library formats the labels and takes a lock each time.
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


@receiver(limit_reached, dispatch_uid="edge.metrics.limit.reached")
def on_limit_reached(sender: object, *, limit: str, **kwargs: object) -> None:
    _REFUSED.labels(limit).inc()


@receiver(post_save, sender=Message, dispatch_uid="edge.metrics.message.post_save")
def on_message_post_save(
    sender: type[Message], *, created: bool, raw: bool, **kwargs: object
) -> None:
    if created and not raw:
        # Count after the commit: a message that was rolled back was not sent.
        transaction.on_commit(_MESSAGES_SENT.inc, robust=True)


@never_cache
@csrf_exempt
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics; a 404 for everyone who may not read them."""
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
    _remove_dead_gauges(Path(settings.PARLEY_METRICS_DIR))
    registry = CollectorRegistry()
    MultiProcessCollector(  # type: ignore[no-untyped-call]  # as it ships
        registry, path=settings.PARLEY_METRICS_DIR
    )
    return registry


def _remove_dead_gauges(folder: Path) -> None:
    """Remove the gauges of killed processes; their counters stay in the totals."""
    for gauge in folder.glob("gauge_live*_*.db"):
        if not _is_alive(int(gauge.stem.rpartition("_")[2])):
            gauge.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Another user's process has this id now: the gauge counts until that process
        # ends.
        return True
    return True


def _may_read(request: HttpRequest) -> bool:
    """With the token; if none is set, from this machine and not through a proxy."""
    if settings.PARLEY_METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        expected = f"Bearer {settings.PARLEY_METRICS_TOKEN}"
        # In constant time, so that the token cannot be guessed character by character.
        return hmac.compare_digest(given.encode(), expected.encode())
    return not _may_be_forwarded(request) and _is_local(request)


def _may_be_forwarded(request: HttpRequest) -> bool:
    """Whether a proxy may have sent the request. Some, such as nginx, add no header by default."""
    return (
        settings.PARLEY_TRUSTED_PROXIES > 0
        or settings.SECURE_PROXY_SSL_HEADER is not None
        or request.META.get("SERVER_PROTOCOL") in _HTTP_1_0
        or any(_FORWARDED.fullmatch(header) for header in request.headers)
    )


def _is_local(request: HttpRequest) -> bool:
    """Whether the request comes from this machine, and its Host is this machine."""
    host, _port = split_domain_port(request.get_host())
    named = host.strip("[]")
    sent_by = str(request.META.get("REMOTE_ADDR", ""))
    return (named == "localhost" or _is_loopback(named)) and _is_loopback(sent_by)


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback
