#!/usr/bin/env bash
# redis-py 8.1.0: an address that names no database that exists is taken, for another one.
#
# Expected: what cannot be read in the address of a Redis server is an error, as an
# unknown scheme is.
# Seen: "/prod" is database 0, "/1/2" is database 12; a "#" in a password that was not
# escaped throws away the host and the rest, so that another port of this machine is
# asked; "retry_on_timeout=off" is on, and "decode_responses=no" is a text that counts
# as true. A program that is told "/prod" and another that is told "/stage" share one database.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0

"$folder/venv/bin/python" - <<'PYTHON'
import sys

from redis.connection import parse_url

seen = {
    "redis://cache.example:6379/prod": {"host": "cache.example", "port": 6379},
    "redis://cache.example:6379/1/2": {"host": "cache.example", "port": 6379, "db": 12},
    "redis://:12#4@cache.example:6379/1": {"port": 12},
    "redis://cache.example?retry_on_timeout=off": {"host": "cache.example", "retry_on_timeout": True},
    "redis://cache.example?decode_responses=no": {"host": "cache.example", "decode_responses": "no"},
}
same = True
for url, expected in seen.items():
    options = dict(parse_url(url))
    print(f"{url:45} {options}")
    same = same and options == expected
sys.exit(not same)
PYTHON
