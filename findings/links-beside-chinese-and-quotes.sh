#!/usr/bin/env bash
# linkify-it-py 2.2.0, markdown-it-py 4.3.0, bleach 6.4.0 and Django 5.2.19's urlize: an address
# beside a letter or a quotation mark.
#
# Expected: "看https://example.com" holds the address https://example.com, as Chinese, Japanese and
# Thai have no blanks between words; "_" and "「」" around it are not part of it; and all four agree,
# the second above all with the first, on which it is built.
# Seen: they agree on hardly anything. linkify-it-py finds nothing after a letter, while
# markdown-it-py with it does. bleach leaves the scheme out and links http://, not https://. urlize
# makes http://看https://example.com. A word behind the address becomes part of the host in three of
# them, and of the path in all; urlize ends it at an apostrophe.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    linkify-it-py==2.2.0 markdown-it-py==4.3.0 bleach==6.4.0 django==5.2.19

"$folder/venv/bin/python" - <<'PYTHON'
import re
import sys
from html import unescape
from urllib.parse import unquote

import bleach
import django
from django.conf import settings
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt

settings.configure()
django.setup()

from django.utils.html import urlize

linkify = LinkifyIt({}, {"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
markdown = MarkdownIt("commonmark", {"linkify": True}).enable("linkify")


def addresses(html):
    return [unquote(unescape(address)) for address in re.findall('href="([^"]*)"', html)]


FINDERS = {
    "linkify-it-py": lambda text: [match.url for match in linkify.match(text) or []],
    "markdown-it-py": lambda text: addresses(markdown.render(text)),
    "bleach": lambda text: addresses(bleach.linkify(text)),
    "urlize": lambda text: addresses(urlize(text)),
}
# What each of the four finds, in that order.
seen = {
    "see https://example.com/a": [["https://example.com/a"]] * 4,
    "看https://example.com": [
        [],
        ["https://example.com"],
        ["http://example.com"],
        ["http://看https://example.com"],
    ],
    "ссылка:https://example.com/a": [
        ["https://example.com/a"],
        ["https://example.com/a"],
        ["https://example.com/a"],
        ["http://ссылка:https://example.com/a"],
    ],
    "_https://example.com_": [[], ["https://example.com"], [], []],
    "「https://example.com/a」": [
        ["https://example.com/a」"],
        ["https://example.com/a」"],
        ["https://example.com/a」"],
        [],
    ],
    "https://example.com谢谢": [
        ["https://example.com谢谢"],
        ["https://example.xn--com-mz0ja"],
        [],
        ["https://example.com谢谢"],
    ],
    "https://example.com/a，谢谢": [["https://example.com/a，谢谢"]] * 4,
    "https://example.com/wiki/Schrödinger's_cat": [
        ["https://example.com/wiki/Schrödinger's_cat"],
        ["https://example.com/wiki/Schrödinger's_cat"],
        ["https://example.com/wiki/Schrödinger's_cat"],
        ["https://example.com/wiki/Schrödinger"],
    ],
}
same = True
for text, expected in seen.items():
    found = [find(text) for find in FINDERS.values()]
    print(text)
    for name, of_one in zip(FINDERS, found):
        print(f"    {name:16} {' '.join(of_one) or '-'}")
    same = same and found == expected
sys.exit(not same)
PYTHON
