"""Where a request comes from, as far as that can be trusted."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address that limits count for.

    Anyone can send an X-Forwarded-For; what each proxy of ours appends to it is
    true. With n of them, the n-th entry from the right is what the outermost one
    saw. Too few entries, or something that is no address: the request came past
    the proxies, and its sender is whoever connected.
    """
    proxies = settings.PARLEY_TRUSTED_PROXIES
    connected = str(request.META.get("REMOTE_ADDR", ""))
    if proxies:
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")
        if len(forwarded) >= proxies:
            seen = _counted_as(forwarded[-proxies].strip())
            if seen is not None:
                return seen
    return _counted_as(connected) or connected


def _counted_as(address: str) -> str | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        # Whoever has one IPv6 address has the other 2^64 beside it.
        return str(IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)
