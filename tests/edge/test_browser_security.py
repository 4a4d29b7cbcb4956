"""Security headers, cookies and CSRF; docs/security.md names each promise."""

import os
import subprocess
import sys
from typing import Final

import orjson
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import NoReverseMatch, reverse

from messaging.models import Message, Session, User
from messaging.services.conversations import start_group
from tests.api_client import API, ApiClient
from tests.conftest import PASSWORD
from tests.contract.document import operations
from tests.contract.hostile import proper_requests
from tests.contract.sample_data import create_sample_data
from tests.tables import all_rows

# One of each kind of answer that there is.
ADDRESSES: Final = (
    *("/", f"{API}/docs", f"{API}/openapi.json", f"{API}/me", f"{API}/messages/1"),
    *(f"{API}/inbox?limit=x", f"{API}/me/export", f"{API}/nowhere", "/nowhere"),
    *("/healthz", "/readyz", "/metrics", "/sign-in", "/account/delete"),
    *("/admin/", "/admin/login/", "/static/admin/css/base.css", "/static/none"),
)
ELSEWHERE: Final = (
    *("https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example"),
    *("http:///evil.example", "javascript:alert(1)", "\thttps://evil.example"),
)
MARKUP: Final = "\"'><script>alert(1)</script>&lt;b&gt;"


@pytest.fixture(params=["anonymous", "signed in"])
def visitor(request: pytest.FixtureRequest, ann: User) -> Client:
    client = Client(raise_request_exception=False)
    if request.param == "signed in":
        client.force_login(ann)
    return client


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_is_guarded(visitor: Client, address: str) -> None:
    answer = visitor.get(address)
    assert answer.getvalue() is not None
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    # Its address may name the path of an invitation: see `path_kept_from_referrers`.
    policy = "strict-origin" if address == "/sign-in" else "same-origin"
    assert answer.headers["Referrer-Policy"] == policy
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["X-Request-ID"]
    assert "Server" not in answer.headers
    assert "X-Powered-By" not in answer.headers


@pytest.mark.parametrize(
    "address",
    [
        one
        for one in ADDRESSES
        if not one.startswith(("/static/admin", f"{API}/openapi.json"))
    ],
)
def test_only_what_is_the_same_for_everybody_is_kept_by_caches(
    visitor: Client, address: str
) -> None:
    answer = visitor.get(address)
    kept = answer.headers.get("Cache-Control", "")
    if answer.status_code == 302 and address == "/":
        return
    assert "no-store" in kept or "private" in kept, (answer.status_code, kept)


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
@pytest.mark.parametrize("address", [f"{API}/me", f"{API}/messages", "/sign-in", "/"])
def test_no_other_origin_is_allowed(visitor: Client, method: str, address: str) -> None:
    answer = visitor.generic(
        method,
        address,
        headers={
            "Origin": "https://evil.example",
            "Access-Control-Request-Method": "DELETE",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    assert not [
        name for name in answer.headers if name.lower().startswith("access-control-")
    ]


@pytest.mark.parametrize("address", [f"{API}/me", "/sign-in", "/healthz", "/admin/"])
def test_a_host_of_somebody_else_is_refused(client: Client, address: str) -> None:
    answer = client.get(address, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert b"evil" not in answer.content
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_forwarded_host_means_nothing(client: Client, db: None) -> None:
    forwarded = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    for address in ("/account/delete", "/", "/admin/"):
        answer = client.get(address, headers=forwarded)
        assert answer.status_code == 302
        assert "evil" not in answer.headers["Location"]


@pytest.mark.parametrize("address", ["/sign-in", "/admin/login/"])
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_signing_in_leads_nowhere_else(ann: User, address: str, elsewhere: str) -> None:
    User.objects.filter(pk=ann.pk).update(is_staff=True)
    client = Client()
    answer = client.post(
        address, {"username": "ann", "password": PASSWORD, "next": elsewhere}
    )
    assert answer.status_code == 302
    assert "evil" not in answer.headers["Location"]
    assert answer.headers["Location"].startswith("/")
    assert not answer.headers["Location"].startswith("//")


def test_signing_in_begins_a_new_session(ann: User) -> None:
    client = Client()
    session = client.session
    session["kept"] = "from before"
    session.save()
    planted = client.cookies["sessionid"].value
    client.post("/sign-in", {"username": "ann", "password": PASSWORD})
    assert client.cookies["sessionid"].value != planted
    assert client.session[SESSION_KEY] == str(ann.pk)
    assert (
        Client(headers={"Cookie": f"sessionid={planted}"}).get(f"{API}/me").status_code
        == 401
    )


def test_cookies_are_for_this_site_alone(ann: User) -> None:
    client = Client()
    client.post("/sign-in", {"username": "ann", "password": PASSWORD})
    client.get("/account/delete")
    session, csrf = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert (session["httponly"], session["samesite"]) == (True, "Lax")
    assert (session["path"], session["domain"]) == ("/", "")
    assert (csrf["samesite"], csrf["domain"]) == ("Lax", "")


def test_over_https_everything_stays_on_it() -> None:
    """As a deployment has it: read from the environment by another process."""
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT")
    script = (
        "import json, django; django.setup()\n"
        "from django.conf import settings as s\n"
        f"print(json.dumps([[getattr(s, n) for n in {names}],"
        " s.SECURE_HSTS_SECONDS, s.SESSION_COOKIE_NAME, s.SECURE_PROXY_SSL_HEADER]))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            "PARLEY_HTTPS": "true",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        cwd=settings.BASE_DIR,
        check=True,
        capture_output=True,
    ).stdout
    flags, hsts, cookie, proxy = orjson.loads(printed)
    assert flags == [True, True, True]
    assert hsts >= 365 * 24 * 3600
    assert cookie == "__Host-sessionid"
    assert proxy == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_no_write_goes_by_a_session_alone(db: None) -> None:
    """Every operation that writes, with the cookie that a browser adds by itself."""
    sample_data = create_sample_data()
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(User.objects.get(username="ann"))
    forged = ApiClient()
    forged.client = browser
    before = all_rows()
    tried = 0
    for operation in operations():
        if (
            operation.method == "GET"
            or operation.public
            or operation.id.startswith("service_")
        ):
            continue
        for case in proper_requests(operation, sample_data):
            answer = case.send(forged, operation)
            assert (answer.status, answer.code) == (403, "csrf_failed"), operation.id
            tried += 1
    assert tried >= 20
    assert all_rows() == before


@pytest.mark.parametrize("address", ["/sign-in", "/account/delete", "/admin/login/"])
def test_no_form_is_sent_from_elsewhere(ann: User, address: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    # Who is signed in is not asked to sign in.
    if address != "/sign-in":
        browser.force_login(ann)
    sent = {"username": "ann", "password": PASSWORD}
    assert browser.post(address, sent).status_code == 403
    browser.get(address)
    token = browser.cookies["csrftoken"].value
    foreign = {"Origin": "https://evil.example"}
    answer = browser.post(
        address, {**sent, "csrfmiddlewaretoken": token}, headers=foreign
    )
    assert answer.status_code == 403
    assert User.objects.filter(pk=ann.pk).exists()


def test_what_people_write_is_never_markup(ann: User, bob: User) -> None:
    """On every page of the admin that lists or shows it."""
    User.objects.filter(pk=ann.pk).update(display_name=MARKUP)
    message = Message.objects.create(sender=ann, receiver=bob, content=MARKUP)
    message.content = f"{MARKUP} again"
    message.save()
    group = start_group(owner=bob, title=MARKUP, usernames=["ann"]).conversation
    Message.objects.create(sender=ann, conversation=group, content=MARKUP)
    client = Client()
    client.force_login(User.objects.create_superuser("admin", PASSWORD))
    seen = 0
    for model in apps.get_app_config("messaging").get_models():
        name = f"admin:messaging_{model._meta.model_name}"
        try:
            pages = [reverse(f"{name}_changelist")]
        except NoReverseMatch:
            continue
        pages += [
            reverse(f"{name}_change", args=[row.pk])
            for row in model._base_manager.all()[:3]
        ]
        for page in pages:
            body = client.get(page).content.decode()
            assert "<script>alert(1)" not in body, page
            seen += "&lt;script&gt;alert(1)" in body
    assert seen >= 5


def test_an_address_is_not_repeated_as_markup(client: Client, db: None) -> None:
    answer = client.get("/<script>alert(1)</script>")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert b"<script>" not in client.get("/admin/<script>").content


def test_a_download_is_no_page(ann: User) -> None:
    client = Client()
    client.force_login(ann)
    answer = client.get(f"{API}/me/export")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"


def test_reading_with_a_cookie_that_opens_nothing_takes_no_cookie_away(
    ann: User,
) -> None:
    # By the time it arrives, the browser may have another one.
    browser = Client()
    browser.force_login(ann)
    Session.objects.all().delete()
    for path in ("/api/v1/me", "/conversations"):
        answer = browser.get(path)
        assert not answer.cookies.get(settings.SESSION_COOKIE_NAME)
        assert "Cookie" in answer.headers["Vary"]
