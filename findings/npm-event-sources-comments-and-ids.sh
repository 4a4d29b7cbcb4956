#!/usr/bin/env bash
# @microsoft/fetch-event-source 2.0.1 and eventsource 4.1.1 (npm): a comment is a message, and an id is forgotten.
#
# Expected: as the standard of server-sent events (WHATWG) says and browsers do: ": ping" and a blank
# line, by which servers keep a connection, are nothing to the page, and an id holds for the
# events after it.
# Seen: fetch-event-source calls onmessage() with empty data for each such comment and for a "retry:"
# alone, so that whoever parses the data has an error every few seconds. Both say id "" of an
# event that has none of its own, though eventsource goes on from the right one when it connects again: who keeps
# lastEventId of the newest event for a later visit keeps "".
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund \
    @microsoft/fetch-event-source@2.0.1 eventsource@4.1.1 > /dev/null

cat > seen.cjs <<'SCRIPT'
// What fetchEventSource() needs of a page.
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
globalThis.window = globalThis;
const { createServer } = require("node:http");
const { fetchEventSource } = require("@microsoft/fetch-event-source");
const { EventSource } = require("eventsource");

const STREAM = ": ping\n\nid: 7\ndata: one\n\nretry: 9000\n\ndata: two\n\n";
const seen = {
  "fetch-event-source": [["", ""], ["7", "one"], ["", ""], ["", "two"]],
  eventsource: [["7", "one"], ["", "two"]],
};

const server = createServer((request, response) => {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.end(STREAM);
});

server.listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${server.address().port}/`;
  const found = { "fetch-event-source": [], eventsource: [] };
  await fetchEventSource(url, {
    onmessage: (event) => found["fetch-event-source"].push([event.id, event.data]),
  });
  await new Promise((resolve) => {
    const source = new EventSource(url);
    source.onmessage = (event) => found.eventsource.push([event.lastEventId, event.data]);
    source.onerror = () => resolve(source.close());
  });
  console.log("The server sends", JSON.stringify(STREAM));
  for (const [name, events] of Object.entries(found)) console.log(name.padEnd(20), JSON.stringify(events));
  server.closeAllConnections();
  server.close();
  process.exitCode = JSON.stringify(found) === JSON.stringify(seen) ? 0 : 1;
});
SCRIPT
node seen.cjs
