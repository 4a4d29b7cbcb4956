"""The Content-Security-Policy: where pages may load from; they run no inline scripts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

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
# Swagger UI writes style attributes, and its icons are data URLs.
_API_DOCS: Final = MappingProxyType(
    {**_PAGES, "img-src": "'self' data:", "style-src": "'self' 'unsafe-inline'"}
)


def _header_value(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


# All other paths have the policy of the pages; docs/decisions/0013-pages.md says why.
_POLICY: Final = _header_value(_PAGES)
_WITHOUT_POLICY: Final = frozenset({"text/css", "text/javascript"})
_POLICIES: Final = MappingProxyType({"/api/v1/docs": _header_value(_API_DOCS)})


class ContentSecurityPolicyMiddleware(MiddlewareMixin):
    """Sets the Content-Security-Policy header of every response but of styles and scripts.

    Those load nothing under a policy of their own, and a page has thirty of them.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind in _WITHOUT_POLICY:
            return response
        policy = _POLICIES.get(request.path, _POLICY)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
