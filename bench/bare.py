"""A WSGI application that returns prepared bytes: it measures the server without Parley.

BENCH_BARE names a JSON file of `{"METHOD /path": body}`.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_ANSWERS = {
    place: body.encode()
    for place, body in json.loads(Path(os.environ["BENCH_BARE"]).read_text()).items()
}


def application(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    # Each edited message has its own path, but all these responses have the same size:
    # one entry, `PATCH`, serves them all.
    body = _ANSWERS.get(
        f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", _ANSWERS["PATCH"]
    )
    start_response(
        "200 OK",
        [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
    )
    return [body]
