"""Every page's address.

Each line below is a route, how it answers GET and POST to whom it is for, and the
fields of its form. A new route needs a line, and what its path names an example.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from typing_extensions import override

from tests.api_client import Answer, JsonValue, Method
from tests.contract.sample_data import SampleData

TABLE: Final = """
                     GET POST form
favicon.ico          302 405
home                 302 405
set_up               404 404
sign_in              200 302  username password
sign_up              200 302  username password
join                 200 302
sign_out             405 302
conversations        200 405
start_conversation   200 302  kind participant
conversation         200 405
message_rows         200 405
composer             200 405
send                 405 302  content
read_conversation    405 302  up_to range
message              302 405
edit_message         200 302  content version
delete_message       200 302
read_message         405 302
unread_message       405 302
thread               200 405
message_history      200 405
restore_version      405 302
receipts             200 405
catch_up             200 405
catch_up_done        405 302  range
catch_up_undo        405 302  range
catch_up_reply       405 302  content
inbox                200 405
read_inbox           405 302  up_to
notifications        200 405
read_notifications   405 302  up_to
read_notification    405 302
people               200 405
person               200 405
go                   200 405
keys                 200 405
mention_options      200 405
people_options       200 405
blocked              200 405
block                405 302
unblock              405 302
conversation_details 200 405
rename_group         405 302  title
add_participant      405 302  username
remove_participant   405 302
hand_over            405 302
add_owner            405 302
remove_owner         405 302
group_invitations    200 200  uses days
revoke_group_invitation 405 302
server_invitations   200 200  uses days
revoke_server_invitation 405 302
mute                 405 302  on
hide                 405 302  on
leave                405 302
privacy              200 405
looks                200 405
looks_seen           405 302  up_to
settings             200 302  display_name send_key
tokens               200 200  name days password
revoke_token         405 302
sessions             200 405
end_session          405 302
end_other_sessions   405 302
password             200 302  current new_password
own_style            200 405
delete_user          200 200  password
administration       200 405
administered_people  200 405
administered_person  200 405
suspend              405 302
let_in               405 302
set_password         200 302  new_password password
delete_person        200 200  password
administered_settings 200 302  server_name
welcome              200 405
"""


# For who is not signed in yet.
SIGN_IN_ROUTES: Final = frozenset({"sign_in", "sign_up"})
# For everybody.
PUBLIC_ROUTES: Final = frozenset({"privacy"})


METHODS: Final[tuple[Method, ...]] = ("GET", "POST")


IN_PLACE: Final = {"HX-Request": "true"}


_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")


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
        self,
        sample_data: SampleData,
        instead: Mapping[str, JsonValue] = MappingProxyType({}),
    ) -> str:
        """The path for the sample data, or for what `instead` names."""

        def named(found: re.Match[str]) -> str:
            name = found[1]
            return str(instead.get(name) or sample_data.example(self.name, name))

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


# For staff; to everybody else they are not there.
ADMINISTRATION_ROUTES: Final = frozenset(
    route.name for route in ROUTES if route.pattern.startswith("administration")
)


def sent(
    browser: Client,
    method: Method,
    route: Route,
    sample_data: SampleData,
    *,
    instead: Mapping[str, JsonValue] = MappingProxyType({}),
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Answer:
    """A valid request for the sample data, or for what `instead` names."""
    form = {
        field: sample_data.example(route.name, field)
        for field in ROWS[route.name].fields
    }
    response = browser.generic(
        method,
        route.path(sample_data, instead),
        urlencode(form) if method == "POST" else "",
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )
    return Answer(response.status_code, dict(response.headers), response.content)
