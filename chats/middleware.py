"""What goes for every page: which sources it may load, and that it travels small."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.deprecation import MiddlewareMixin
from typing_extensions import override

_PAGES: Final = MappingProxyType(
    {
        "default-src": "'none'",
        "base-uri": "'none'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "img-src": "'self'",
        "manifest-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
    }
)
# Swagger UI writes style attributes, and has its icons in data URLs.
_API_DOCS: Final = MappingProxyType(
    {**_PAGES, "img-src": "'self' data:", "style-src": "'self' 'unsafe-inline'"}
)


def _written(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


# Every other policy is the pages' own; docs/decisions/0013-pages.md says why.
_POLICY: Final = _written(_PAGES)
_POLICIES: Final = MappingProxyType({"/api/v1/docs": _written(_API_DOCS)})


class ContentSecurityPolicyMiddleware(MiddlewareMixin):
    """Lets a page load what we serve, and run nothing that stands in it."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        policy = _POLICIES.get(request.path, _POLICY)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response


class CompressionMiddleware(GZipMiddleware):
    """Compresses pages, styles and scripts; never a stream of events.

    Django adds bytes of random length, so that the size of a page betrays nothing.
    """

    compressed = ("text/html", "text/css", "text/javascript", "image/svg+xml")

    @override
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "")
        if not kind.startswith(self.compressed):
            return response
        return super().process_response(request, response)
