#!/usr/bin/env bash
# slackify-markdown 4.5.0 (npm): text that it formats has zero-width spaces in it.
#
# Expected: **bold** becomes *bold*, Slack's way of writing it.
# Seen: U+200B before and after each formatted run, so that stars within a word work. They
# stay in the message, invisible: whoever searches, compares or copies the text has them too,
# and a command that is pasted from it does not work.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund slackify-markdown@4.5.0 > /dev/null

cat > seen.cjs <<'SCRIPT'
const loaded = require("slackify-markdown");
const slackify = loaded.default ?? loaded.slackifyMarkdown ?? loaded;
const seen = {
  "**bold**": "\u200b*bold*\u200b\n",
  "a**b**c": "a\u200b*b*\u200bc\n",
  "~~gone~~": "\u200b~gone~\u200b\n",
  "plain": "plain\n",
};
let same = true;
for (const [text, expected] of Object.entries(seen)) {
  const found = slackify(text);
  console.log(text.padEnd(10), JSON.stringify(found).replaceAll("\u200b", "\\u200b"));
  same &&= found === expected;
}
process.exit(same ? 0 : 1);
SCRIPT
node seen.cjs
