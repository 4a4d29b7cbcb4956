#!/usr/bin/env bash
# slack-markdown 0.3.0 (npm): what Slack has escaped is escaped again.
#
# Expected: Slack delivers texts with &amp; &lt; and &gt; escaped and nothing else; a renderer of
# Slack's form shows "a &lt; b" as "a < b".
# Seen: toHTML() escapes by default what is escaped already, so that people read "&lt;", also in
# the text of a link. Its option escapeHTML: false is right for what comes from Slack.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund slack-markdown@0.3.0 > /dev/null

cat > seen.cjs <<'SCRIPT'
const { toHTML } = require("slack-markdown");
const seen = {
  "a &lt; b": "a &amp;lt; b",
  "<https://example.org|x &amp; y>": '<a href="https://example.org">x &amp;amp; y</a>',
};
let same = true;
for (const [text, expected] of Object.entries(seen)) {
  const found = toHTML(text);
  console.log(text.padEnd(34), found);
  same &&= found === expected;
}
process.exit(same ? 0 : 1);
SCRIPT
node seen.cjs
