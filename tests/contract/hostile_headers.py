"""Headers that nobody should send: to be refused, or to change nothing."""

from typing import Final

_VALUES: Final = {
    "empty": "",
    "blank": " \t ",
    "NUL": "a\x00b",
    "control": "a\x07b",
    "not ASCII": "\u00e9\u00ff",
    "5,001 characters": "x" * 5001,
    "quotes": '"\'"',
    "number": f"{2**64}",
    "list": ", ".join('"1.1"' for _ in range(500)),
    "zero width": "\u200b".encode().decode("latin-1"),
    "bidi override": "\u202e".encode().decode("latin-1"),
}

# Which of them mean something here; the others must mean nothing.
_NAMES: Final = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Content-Encoding", "Cookie"),
    *("If-Match", "If-None-Match", "If-Modified-Since", "Idempotency-Key"),
    *("Last-Event-ID", "Origin", "Range", "Referer", "User-Agent", "X-Cache-Scope"),
    *("X-CSRFToken", "X-Forwarded-For", "X-Request-ID"),
)

# Tricks, each as a whole.
_TRICKS: Final = {
    "session that is none": {"Cookie": "sessionid=x; csrftoken=y"},
    "broken cookie": {"Cookie": 'sessionid="; =; ;;\x01'},
    "method override": {"X-HTTP-Method-Override": "DELETE", "X-Method": "DELETE"},
    "path override": {"X-Original-URL": "/admin/", "X-Rewrite-URL": "/admin/"},
    "host override": {"X-Forwarded-Host": "evil.example", "X-Host": "evil.example"},
    "proxies": {"Forwarded": "for=1.2.3.4;host=evil.example", "X-Real-IP": "::1"},
    "user of a proxy": {"Remote-User": "ann", "X-Forwarded-User": "ann"},
    "underscored": {"X_Cache_Scope": "1", "Authorization_": "Bearer x"},
    "foreign origin": {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
    },
    "asked for a preview": {"Access-Control-Request-Method": "DELETE"},
}


def hostile_headers() -> dict[str, dict[str, str]]:
    """By name; with each a request is sent that is right but for them."""
    alone = {
        f"{name}: {case}": {name: value}
        for name in _NAMES
        for case, value in _VALUES.items()
    }
    return alone | _TRICKS
