#!/usr/bin/env bash
# zulip 0.9.1 (the Python client of Zulip): a message whose answer was a 502 is sent again.
#
# Expected: what is not idempotent is not repeated by itself, or with something by which the server
# can tell a repetition; and a 429 is waited for, or raised.
# Seen: on any 5xx the same POST goes out again after a second, up to ten times, without an id:
# behind a proxy that loses two answers, one send is three messages. A 429 is neither: its
# body is returned as if it were a result, and Retry-After is not looked at.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zulip==0.9.1

"$folder/venv/bin/python" - <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import zulip

kept = []
answers = [502, 502, 200, 429]


class StandIn(BaseHTTPRequestHandler):
    """Keeps each message, and answers as a server behind a failing proxy would."""

    def do_GET(self):
        self._answer(200, {"result": "success", "zulip_version": "9.0", "zulip_feature_level": 300})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        kept.append({name: values[0] for name, values in parse_qs(body).items()})
        status = answers.pop(0)
        result = "success" if status == 200 else "error"
        self._answer(status, {"result": result, "msg": "", "code": "RATE_LIMIT_HIT", "id": len(kept)})

    def _answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = zulip.Client(
    email="bot@chat.example", api_key="k", site=f"http://127.0.0.1:{server.server_port}"
)
message = {"type": "stream", "to": "general", "topic": "tea", "content": "Tea at four?"}
result = client.send_message(message)
sends = len(kept)
print(f"One send, answered 502, 502 and 200: the server has {sends} messages; told apart by:")
print("  ", [{name: each[name] for name in each if name not in message} for each in kept])
limited = client.send_message(message)
print(f"One send, answered 429: tried {len(kept) - sends} time, returned {limited['result']!r}")
sys.exit(not (result["result"] == "success" and sends == 3 and limited["result"] == "error" and len(kept) == 4))
PYTHON
