#!/usr/bin/env bash
# parsedatetime 2.6 and dateparser 1.5.0: "in half an hour" is in an hour, and "in 1h30" is at night.
#
# Expected: what people write to be reminded is read as they mean it, or not at all: half an hour is 30
# minutes, "1h30" is 90, and where a comma is not known as a decimal sign, "1,5 hours" is refused.
# Seen: a part of the text is read, and the rest is dropped without a word. parsedatetime reads "an hour" of
# "half an hour" and "5 hours" of "1,5 hours"; both read one hour of "1h 30". dateparser takes "in 1h30"
# for half past one at night, where "in 1h30m" is right, and "in 90" for the year 2090.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check parsedatetime==2.6 dateparser==1.5.0

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys
from datetime import datetime

import dateparser
import parsedatetime

NOON = datetime(2026, 7, 1, 12)


def of_parsedatetime(text):
    found, status = parsedatetime.Calendar().parseDT(text, NOON)
    return f"{found:%Y-%m-%d %H:%M}" if status else None


def of_dateparser(text):
    settings = {"RELATIVE_BASE": NOON, "PREFER_DATES_FROM": "future"}
    found = dateparser.parse(text, languages=["en"], settings=settings)
    return f"{found:%Y-%m-%d %H:%M}" if found else None


# The text at noon of 2026-07-01, what parsedatetime reads, and what dateparser does.
seen = {
    "in 30 minutes": ("2026-07-01 12:30", "2026-07-01 12:30"),
    "in half an hour": ("2026-07-01 13:00", None),
    "in 1,5 hours": ("2026-07-01 17:00", "2026-07-01 13:30"),
    "in 1h 30": ("2026-07-01 13:00", "2026-07-01 13:00"),
    "in 1h30": (None, "2026-07-02 01:30"),
    "in 90": (None, "2090-07-01 00:00"),
    "in 1h30m": (None, "2026-07-01 13:30"),
}
same = True
for text, expected in seen.items():
    found = (of_parsedatetime(text), of_dateparser(text))
    print(f"{text:18} parsedatetime: {found[0]!s:18} dateparser: {found[1]}")
    same = same and found == expected
sys.exit(not same)
PYTHON
