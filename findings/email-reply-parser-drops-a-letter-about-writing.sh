#!/usr/bin/env bash
# email-reply-parser 0.5.12: whole paragraphs between "On" and "wrote:" are taken for a quotation's head.
#
# Expected: "On 12 May, Ada wrote:" before quoted lines is cut off, since it is one line, or two. What
# somebody wrote himself stays.
# Seen: any line that begins with "On" begins it, and any later line that ends in "wrote:" ends it,
# however many paragraphs lie between and whether anything is quoted or not: the answer by mail is then
# empty. A line that begins with "From:" ends it too. mail-parser-reply 1.36 keeps all of these.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    email-reply-parser==0.5.12 mail-parser-reply==1.36

"$folder/venv/bin/python" - <<'PYTHON'
import sys

from email_reply_parser import EmailReplyParser
from mailparser_reply import EmailReplyParser as MailParserReply

quoting = "Yes.\n\nOn 12 May, Ada wrote:\n> Tea?"
letter = (
    "On Tuesday we go to the lake.\n\n"
    "Bring tea and cake for everybody.\n\n"
    "This is what Ada wrote:\nsix cups."
)
# The letter, what email-reply-parser leaves of it, and what mail-parser-reply does.
seen = [
    (quoting, "Yes.", "Yes."),
    (letter, "", letter),
    ("Six cups.\n\nFrom: Monday on we need more.\n\nBring cake.", "Six cups.", None),
    ("From: the lake\nTo: the town\nby train.", "", None),
]
same = True
for text, *expected in seen:
    found = [EmailReplyParser.parse_reply(text), MailParserReply(languages=["en"]).parse_reply(text=text)]
    print(repr(text))
    print(f"    email-reply-parser: {found[0]!r}")
    print(f"    mail-parser-reply:  {found[1]!r}")
    same = same and found == [expected[0], expected[1] or text]
sys.exit(not same)
PYTHON
