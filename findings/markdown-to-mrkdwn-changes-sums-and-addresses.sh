#!/usr/bin/env bash
# markdown_to_mrkdwn 0.3.3: stars that are no Markdown become underscores, in addresses and code too.
#
# Expected: "2 * 3 * 4" is no emphasis (CommonMark: a star beside blanks opens nothing), and
# neither addresses nor code are touched on the way to Slack's form.
# Seen: "2 _ 3 _ 4"; https://example.org/a*b*c leads elsewhere, to a_b_c; `**x**` in code loses two
# of its stars; and & and < are not escaped, which Slack's form asks for.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check markdown_to_mrkdwn==0.3.3

"$folder/venv/bin/python" - <<'PYTHON'
import sys

from markdown_to_mrkdwn import SlackMarkdownConverter

seen = {
    "**bold** and *slanted*": "*bold* and _slanted_",
    "2 * 3 * 4": "2 _ 3 _ 4",
    "https://example.org/a*b*c": "https://example.org/a_b_c",
    "`**x**`": "`*x*`",
    "1 < 2 & 3": "1 < 2 & 3",
}
same = True
for text, expected in seen.items():
    found = SlackMarkdownConverter().convert(text)
    print(f"{text!r:30} {found!r}")
    same = same and found == expected
sys.exit(not same)
PYTHON
