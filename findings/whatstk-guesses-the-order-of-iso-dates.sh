#!/usr/bin/env bash
# whatstk 0.9.1: a date with the year first is read as year, day, month where that fits too.
#
# Expected: 2026-02-01 is the first of February, whatever else is in the file: nobody writes
# year, day, month. And a line without "name:" has no author.
# Seen: in a WhatsApp export whose messages are all of the first days of months, they become days of
# January; one message of the 14th anywhere turns all of them right. So two exports of
# one chat, a longer and a shorter one, disagree about when a message was sent. And a
# system line with a colon in it has an author of its own ("Grace changed the subject to").
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check whatstk==0.9.1

cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import sys
from pathlib import Path

from whatstk import WhatsAppChat


def read(*lines):
    Path("chat.txt").write_text("".join(f"{line}\n" for line in lines))
    rows = WhatsAppChat.from_source(filepath="chat.txt").df
    return [(f"{row.date:%d %b}", row.username) for row in rows.itertuples()]


firsts = ["2026-02-01, 09:05 - Ada: one", "2026-03-01, 09:06 - Grace: two"]
seen = [
    (firsts, [("02 Jan", "Ada"), ("03 Jan", "Grace")]),
    (
        [*firsts, "2026-03-14, 09:07 - Ada: three"],
        [("01 Feb", "Ada"), ("01 Mar", "Grace"), ("14 Mar", "Ada")],
    ),
    (
        ["14/03/2026, 09:05 - Ada: one", "14/03/2026, 09:06 - Grace changed the subject to: tea"],
        [("14 Mar", "Ada"), ("14 Mar", "Grace changed the subject to")],
    ),
]
same = True
for lines, expected in seen:
    found = read(*lines)
    print(*lines, f"  {found}", sep="\n")
    same = same and found == expected
sys.exit(not same)
PYTHON
