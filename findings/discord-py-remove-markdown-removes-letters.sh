#!/usr/bin/env bash
# discord.py 2.7.1: utils.remove_markdown() removes what is no Markdown.
#
# Expected: "snake_case_name" stays as it is, since nothing in it is formatted, and what
# stands in code (`a_b`) loses its backticks alone.
# Seen: every underscore, star, tilde, bar and backslash goes, wherever it stands, unless
# it is part of an address: snakecasename, C:dir, "2  3". A bridge or an export that calls it to
# have plain text changes names of files and of variables for good.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check discord.py==2.7.1

"$folder/venv/bin/python" - <<'PYTHON'
import sys

from discord.utils import remove_markdown

seen = {
    "**bold**": "bold",
    "snake_case_name": "snakecasename",
    "__init__.py": "init.py",
    "`a_b`": "ab",
    "2 * 3": "2  3",
    "C:\\dir": "C:dir",
    "ls | wc": "ls  wc",
    "~/notes": "/notes",
    "https://example.org/a_b": "https://example.org/a_b",
}
same = True
for text, expected in seen.items():
    found = remove_markdown(text)
    print(f"{text!r:28} {found!r}")
    same = same and found == expected
sys.exit(not same)
PYTHON
