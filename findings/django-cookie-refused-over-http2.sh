#!/usr/bin/env bash
# Django 5.2.19 and h2 4.4.1: a cookie that Django sets is refused by a strict HTTP/2 client.
#
# Expected: the value of a header, as an application hands it to its server, has no blank
# around it; any server may pass it on as it is.
# Seen: Django's WSGI handler writes cookies by SimpleCookie.output(header=""), which
# begins with a blank: "Set-Cookie" is " sessionid=…". HTTP/1.1 does not show it, since a
# blank follows the colon anyway. RFC 9113, 8.2.1 forbids it in HTTP/2, and h2, which is
# under httpx and hypercorn, ends the connection with a ProtocolError.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.19 h2==4.4.1

cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import django
from django.conf import settings

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="k" * 50)
django.setup()

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError


def view(request):
    response = HttpResponse("Hello")
    response.set_cookie("colour", "green")
    return response


urlpatterns = [path("", view)]
answered = {}
get_wsgi_application()(
    RequestFactory().get("/").environ,
    lambda status, headers, error=None: answered.update(headers),
)
cookie = answered["Set-Cookie"]
print(f"Django hands over Set-Cookie: {cookie!r}")

# A server that passes headers on as it was given them.
server = H2Connection(
    H2Configuration(
        client_side=False, normalize_outbound_headers=False, validate_outbound_headers=False
    )
)
client = H2Connection(H2Configuration(client_side=True))
client.initiate_connection()
server.initiate_connection()
request = [(":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "a.example")]
client.send_headers(1, request, end_stream=True)
server.receive_data(client.data_to_send())
server.send_headers(1, [(":status", "200"), ("set-cookie", cookie)], end_stream=True)
refusal = None
try:
    client.receive_data(server.data_to_send())
except ProtocolError as error:
    refusal = str(error)
print(f"h2's client: {refusal!r}")

sys.exit(not (cookie.startswith(" ") and refusal and "whitespace" in refusal))
PYTHON
