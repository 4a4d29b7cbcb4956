"""Every page's address, for its own people, for strangers, for nobody and for forgers.

Each line below is a route, how it answers GET and POST to whom it is for, and the
fields of its form. A new route needs a line, and what its path names an example.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from typing_extensions import override

from messaging.ids import MAX_ID, UserId
from messaging.models import Message, Session, User
from messaging.models.sessions import digest_of
from messaging.services.notifications import mark_message_read
from tests.api_client import Answer, JsonValue, Method
from tests.chats.conftest import browser_of
from tests.conftest import MakeUser
from tests.contract.scene import PASSWORD, Scene, set_scene
from tests.contract.tables import everything
from tests.proofs import received_by

TABLE: Final = """
                     GET POST form
favicon.ico          302 405
home                 302 405
sign_in              200 302  username password
sign_up              200 302  username password
sign_out             405 302
conversations        200 405
start_conversation   200 302  kind participant
conversation         200 405
message_rows         200 405
composer             200 405
send                 405 302  content
read_conversation    405 302  up_to
message              302 405
edit_message         200 302  content version
delete_message       200 302
read_message         405 302
unread_message       405 302
thread               200 405
message_history      200 405
restore_version      405 302
receipts             200 405
inbox                200 405
read_inbox           405 302  up_to
notifications        200 405
read_notifications   405 302  up_to
read_notification    405 302
people               200 405
blocked              200 405
block                405 302
unblock              405 302
conversation_details 200 405
rename_group         405 302  title
add_participant      405 302  username
remove_participant   405 302
hand_over            405 302
mute                 405 302  on
hide                 405 302  on
leave                405 302
settings             200 302  display_name
tokens               200 200  name days password
revoke_token         405 302
sessions             200 405
end_session          405 302
end_other_sessions   405 302
password             200 302  current new_password
own_style            200 405
delete_user          200 200  password
"""

# For who is not signed in yet.
DOORS: Final = frozenset({"sign_in", "sign_up"})
# All else sends nobody to sign in.
PUBLIC: Final = DOORS | {"favicon.ico", "home", "sign_out"}

# What a path may name that is somebody's, and one of each kind that is not there.
MISSING: Final[Mapping[str, JsonValue]] = {
    **dict.fromkeys(("conversation_id", "message_id", "notification_id"), MAX_ID),
    **dict.fromkeys(("token_id", "user_id"), MAX_ID),
    "reference": digest_of("of no session"),
}
# A name that everyone may look up, and a number within a message.
KNOWN: Final = frozenset({"username", "version"})

METHODS: Final[tuple[Method, ...]] = ("GET", "POST")
IN_PLACE: Final = {"HX-Request": "true"}

_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")
# Masked anew in each answer.
_CSRF_TOKEN: Final = re.compile(rb"[0-9A-Za-z]{64}")


@dataclass(frozen=True, slots=True)
class Row:
    """How a route answers a proper request, and what its form holds."""

    statuses: tuple[int, int]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    name: str
    pattern: str

    @override
    def __str__(self) -> str:
        return self.name

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(_PARAMETER.findall(self.pattern))

    def path(
        self, scene: Scene, instead: Mapping[str, JsonValue] = MappingProxyType({})
    ) -> str:
        """Of what the scene has, or of another thing instead."""

        def named(found: re.Match[str]) -> str:
            name = found[1]
            return str(instead.get(name) or scene.example(self.name, name))

        return "/" + _PARAMETER.sub(named, self.pattern)


def _parsed(table: str) -> dict[str, Row]:
    _, *lines = table.strip("\n").splitlines()
    rows: dict[str, Row] = {}
    for line in lines:
        name, reading, writing, *fields = line.split()
        assert name not in rows, name
        rows[name] = Row((int(reading), int(writing)), tuple(fields))
    return rows


def _walked(
    patterns: Iterable[URLPattern | URLResolver], before: str = ""
) -> Iterator[Route]:
    for each in patterns:
        pattern = f"{before}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from _walked(each.url_patterns, pattern)
        else:
            yield Route(each.name or pattern, pattern)


ROWS: Final = _parsed(TABLE)
ROUTES: Final = list(_walked(get_resolver("chats.urls").url_patterns))

# Those whose path names what is not everybody's to know of.
SOMEBODYS: Final = [route for route in ROUTES if route.parameters - KNOWN]

every_route = pytest.mark.parametrize("route", ROUTES, ids=str)


@pytest.fixture
def scene(db: None) -> Scene:
    """Ann has two browsers, and a message that she has read."""
    scene = set_scene()
    ann, bob = (User.objects.get(username=name) for name in ("ann", "bob"))
    read = Message.objects.create(sender=bob, receiver=ann, content="read")
    mark_message_read(message=received_by(ann, read), reader=UserId(ann.pk))
    browser_of(ann)
    return replace(
        scene,
        examples={
            **scene.examples,
            "read_message.message_id": scene.examples["messages_mark_read.message_id"],
            "unread_message.message_id": read.pk,
            "reference": Session.objects.get(user=ann).pk,
            "user_id": ann.pk,
            "sign_in.username": "ann",
            "sign_up.username": "newcomer",
            "add_participant.username": "dora",
            "unblock.username": "anselm",
            "kind": "direct",
            "start_conversation.participant": "cleo",
            "read_conversation.up_to": 4,
            "edit_message.version": 3,
            "on": "1",
            "days": 30,
            "current": PASSWORD,
        },
    )


@pytest.fixture
def anns(scene: Scene) -> Client:
    return browser_of(User.objects.get(username="ann"))


@pytest.fixture
def strangers(scene: Scene, make_user: MakeUser) -> Client:
    return browser_of(make_user("stranger"))


def _sent(
    browser: Client,
    method: Method,
    route: Route,
    scene: Scene,
    *,
    instead: Mapping[str, JsonValue] = MappingProxyType({}),
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Answer:
    """A proper request, of what the scene has or of another thing instead."""
    form = {
        field: scene.example(route.name, field) for field in ROWS[route.name].fields
    }
    response = browser.generic(
        method,
        route.path(scene, instead),
        urlencode(form) if method == "POST" else "",
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )
    return Answer(response.status_code, dict(response.headers), response.content)


def _comparable(answer: Answer) -> Answer:
    headers = {
        name: value for name, value in answer.headers.items() if name != "X-Request-ID"
    }
    return Answer(answer.status, headers, _CSRF_TOKEN.sub(b"", answer.body))


def test_every_route_has_its_row_and_no_row_is_of_none() -> None:
    assert sorted(route.name for route in ROUTES) == sorted(ROWS)


def test_what_a_path_names_is_somebodys_or_known() -> None:
    named = {name for route in ROUTES for name in route.parameters}
    assert named == MISSING.keys() | KNOWN


@every_route
def test_whom_it_is_for_is_answered_as_declared(
    route: Route, scene: Scene, anns: Client
) -> None:
    """Their POST writes, so that what refuses it to others is not its form."""
    browser = Client() if route.name in DOORS else anns
    before = everything()
    read = _sent(browser, "GET", route, scene)
    assert everything() == before
    written = _sent(browser, "POST", route, scene)
    assert (read.status, written.status) == ROWS[route.name].statuses
    takes_forms = written.status != 405
    assert (everything() != before) == takes_forms
    if route.name not in PUBLIC:
        for answer in (read, written):
            assert answer.headers["Cache-Control"].startswith(("private", "no-store"))


@every_route
def test_a_form_without_its_token_does_nothing(route: Route, scene: Scene) -> None:
    nobodys, anns = (Client(enforce_csrf_checks=True) for _ in range(2))
    anns.force_login(User.objects.get(username="ann"))
    before = everything()
    for browser in (nobodys, anns):
        answer = _sent(browser, "POST", route, scene)
        if answer.status != 405:
            assert answer.status == 403
            assert b"too old" in answer.body
            assert answer.headers["Cache-Control"] == "private, no-store"
    assert everything() == before


@every_route
def test_nobody_is_let_in_but_where_all_are(route: Route, scene: Scene) -> None:
    browser = Client()
    before = everything()
    read = _sent(browser, "GET", route, scene)
    written = _sent(browser, "POST", route, scene)
    if route.name in PUBLIC:
        assert (read.status, written.status) == ROWS[route.name].statuses
    else:
        path = route.path(scene)
        assert read.headers["Location"] == f"/sign-in?next={path}"
        assert written.headers["Location"] == "/sign-in?next=/"
    assert (everything() != before) == (route.name in DOORS)


@pytest.mark.parametrize("headers", [{}, IN_PLACE], ids=["page", "in place"])
@pytest.mark.parametrize("route", SOMEBODYS, ids=str)
def test_a_stranger_is_answered_as_if_it_were_not_there(
    route: Route, headers: Mapping[str, str], scene: Scene, strangers: Client
) -> None:
    before = everything()
    for method, declared in zip(METHODS, ROWS[route.name].statuses, strict=True):
        theirs = _sent(strangers, method, route, scene, headers=headers)
        missing = _sent(
            strangers, method, route, scene, instead=MISSING, headers=headers
        )
        assert theirs.status == (declared if declared == 405 else 404)
        assert theirs.headers["Cache-Control"] == "private, no-store"
        assert _comparable(theirs) == _comparable(missing)
    assert everything() == before
