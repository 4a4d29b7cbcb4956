#!/usr/bin/env bash
# granian 2.8.7: over ASGI, ports are texts, and HTTP/1.0 is version "1".
#
# Expected: the ASGI specification says that the second part of scope["server"] and of
# scope["client"] is an int, and that scope["http_version"] is "1.0", "1.1" or "2". uvicorn and
# hypercorn do so.
# Seen: ("127.0.0.1", "8000"), and "1". Comparing a port with 80 or 443 is never true, so that an
# address built from the scope keeps ":80"; whoever compares versions knows no "1", which is what
# comes from a proxy that speaks HTTP/1.0 to the servers behind it.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    granian==2.8.7 uvicorn==0.54.0 hypercorn==0.18.0

cd "$folder"
cat > app.py <<'PYTHON'
import json


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    found = [scope["http_version"], type(scope["server"][1]).__name__, type(scope["client"][1]).__name__]
    body = json.dumps(found).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
PYTHON

venv/bin/python - <<'PYTHON'
import json
import socket
import subprocess
import sys
import time

STARTED_BY = {
    "granian": ["venv/bin/granian", "--interface", "asgi", "--host", "127.0.0.1", "--port"],
    "uvicorn": ["venv/bin/uvicorn", "--host", "127.0.0.1", "--lifespan", "off", "--port"],
    "hypercorn": ["venv/bin/hypercorn", "--bind"],
}
seen = {
    "granian": [["1", "str", "str"], ["1.1", "str", "str"]],
    "uvicorn": [["1.0", "int", "int"], ["1.1", "int", "int"]],
    "hypercorn": [["1.0", "int", "int"], ["1.1", "int", "int"]],
}


def ask(port, version):
    """What the application saw of a request in this version of HTTP."""
    request = f"GET / HTTP/{version}\r\nHost: chat.example\r\nConnection: close\r\n\r\n"
    for _ in range(150):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(request.encode())
                answer = b"".join(iter(lambda: connection.recv(4096), b""))
            return json.loads(answer.partition(b"\r\n\r\n")[2])
        except ConnectionError:
            time.sleep(0.1)
    raise SystemExit("The server did not start.")


same = True
for name, command in STARTED_BY.items():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    where = f"127.0.0.1:{port}" if name == "hypercorn" else str(port)
    server = subprocess.Popen(
        [*command, where, "app:app"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        found = [ask(port, "1.0"), ask(port, "1.1")]
    finally:
        server.terminate()
        server.wait(timeout=20)
    for version, (http_version, server_port, client_port) in zip(("1.0", "1.1"), found):
        print(
            f"{name:10} HTTP/{version}: http_version {http_version!r:6}"
            f" port of server: {server_port}, of client: {client_port}"
        )
    same = same and found == seen[name]
sys.exit(not same)
PYTHON
