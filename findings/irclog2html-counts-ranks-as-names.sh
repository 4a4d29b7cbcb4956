#!/usr/bin/env bash
# irclog2html 4.1.0: one person of an IRC log has as many names as ranks, and WeeChat's lines are none.
#
# Expected: irssi writes <@ada>, <+ada> and < ada> for one nick with and without a rank; all are ada.
# WeeChat's log (date, tab, nick, tab, text) is read.
# Seen: three names, one of which begins with a blank: their colours, and whatever else is kept by
# name, differ when somebody gets a rank. WeeChat's lines are text of nobody, without a time.
# Of "12:00:00 AM" the mark is taken for the beginning of the text: it is noon.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check irclog2html==4.1.0

"$folder/venv/bin/python" - <<'PYTHON'
import sys

from irclog2html.irclog2html import LogParser

seen = {
    "12:00 <ada> hi": ("12:00", "COMMENT", ("ada", "hi")),
    "12:00 <@ada> hi": ("12:00", "COMMENT", ("@ada", "hi")),
    "12:00 <+ada> hi": ("12:00", "COMMENT", ("+ada", "hi")),
    "12:00 < ada> hi": ("12:00", "COMMENT", (" ada", "hi")),
    "2026-01-01 12:00:00\tada\thi": (None, "OTHER", "2026-01-01 12:00:00\tada\thi"),
    "12:00:00 AM <ada> hi": ("12:00:00", "OTHER", "AM <ada> hi"),
}
same = True
for line, expected in seen.items():
    ((time, kind, content),) = LogParser([line])
    found = (time, str(kind), content)
    print(f"{line!r:34} {found}")
    same = same and found == expected
sys.exit(not same)
PYTHON
