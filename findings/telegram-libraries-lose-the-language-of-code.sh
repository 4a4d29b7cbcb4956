#!/usr/bin/env bash
# aiogram 3.31.0 and python-telegram-bot 22.8: a block of code, written as HTML, loses its language.
#
# Expected: what html_text and text_html give can be sent again with parse_mode="HTML" and is the same
# message; Telegram's form for a block in Python is <pre><code class="language-python">.
# Seen: aiogram writes <code language="language-python">, python-telegram-bot <code class="python">;
# both are other than what Telegram asks for. And aiogram's md_text leaves a ")" in the address of a link as it
# is, where Telegram asks for "\)": https://example.org/a_(b) ends too early.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    aiogram==3.31.0 python-telegram-bot==22.8

"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import datetime, timezone

import aiogram.types
import telegram

PARTS = {
    "code": ("x = 1", {"type": "pre", "offset": 0, "length": 5, "language": "python"}),
    "link": (
        "this",
        {"type": "text_link", "offset": 0, "length": 4, "url": "https://example.org/a_(b)"},
    ),
}
DATE = datetime(2026, 1, 1, tzinfo=timezone.utc)


def of_aiogram(text, part):
    message = aiogram.types.Message(
        message_id=1, date=DATE, chat={"id": 1, "type": "private"}, text=text, entities=[part]
    )
    return message.html_text, message.md_text


def of_telegram(text, part):
    message = telegram.Message(
        1, DATE, telegram.Chat(1, "private"), text=text, entities=[telegram.MessageEntity(**part)]
    )
    return message.text_html, message.text_markdown_v2


seen = {
    ("aiogram", "code"): (
        '<pre><code language="language-python">x = 1</code></pre>',
        "```python\nx \\= 1\n```",
    ),
    ("python-telegram-bot", "code"): (
        '<pre><code class="python">x = 1</code></pre>',
        "```python\nx = 1```",
    ),
    ("aiogram", "link"): (
        '<a href="https://example.org/a_(b)">this</a>',
        "[this](https://example.org/a_(b))",
    ),
    ("python-telegram-bot", "link"): (
        '<a href="https://example.org/a_(b)">this</a>',
        "[this](https://example.org/a_(b\\))",
    ),
}
same = True
for (library, which), expected in seen.items():
    found = (of_aiogram if library == "aiogram" else of_telegram)(*PARTS[which])
    print(f"{library:20} {which}", *found, sep="\n    ")
    same = same and found == expected
sys.exit(not same)
PYTHON
