"""The client's address. X-Forwarded-For is believed only as far as proxies are trusted."""

from collections.abc import Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address that limits count for: see `address_of`."""
    return address_of(request.META)


def address_of(environ: Mapping[str, object]) -> str:
    """The address that limits count for.

    Anyone can send an X-Forwarded-For, but the entries that our own proxies append are
    true. With n proxies, the n-th entry from the right is the address that the
    outermost one saw. If there are fewer entries, or that one is no address, the
    request did not come through the proxies: then it is the address of the connection.
    """
    proxies = settings.PARLEY_TRUSTED_PROXIES
    connected = str(environ.get("REMOTE_ADDR", ""))
    if proxies:
        forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")
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
        # An IPv4 client on an IPv6 socket is the same client.
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        # A client usually controls a whole /64 network, so limits count the network.
        return str(IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)
