#!/usr/bin/env bash
# dj-database-url 3.1.2: sqlite://chat.db, with a slash too few, is a database in memory.
#
# Expected: a file named chat.db, or an error, since "chat.db" stands where a host would.
# Seen: NAME is ":memory:" and HOST is "chat.db". Everything works, migrations too, and
# all of it is gone when the process ends; each process has a database of its own.
# "sqlite:chat.db", without slashes, is a file named "hat.db". And a "#" in a password that was not
# escaped ends the address: what is left has neither a user nor a database, and another host.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dj-database-url==3.1.2 django==5.2.19

"$folder/venv/bin/python" - <<'PYTHON'
import sys

import dj_database_url

seen = {
    "sqlite:///chat.db": ("chat.db", ""),
    "sqlite://chat.db": (":memory:", "chat.db"),
    "sqlite:chat.db": ("hat.db", ""),
    "postgres://app:secret@db.example/chat": ("chat", "db.example"),
    "postgres://app:12#4@db.example/chat": ("", "app"),
}
same = True
for url, expected in seen.items():
    parsed = dj_database_url.parse(url)
    found = (parsed["NAME"], parsed["HOST"])
    print(f"{url:40} NAME {found[0]!r:12} HOST {found[1]!r}")
    same = same and found == expected
sys.exit(not same)
PYTHON
