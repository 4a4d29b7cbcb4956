"""Who may call what: every operation of the document, for every relation to it.

Each line below is an operation, on a target where it has one, and its answer to
each role. A new operation needs a line; where its path names a conversation, a
message or a notification, one for the group and one for the direct conversation.
`-` says that the role has no meaning there.
"""

from http import HTTPStatus
from typing import Final

import pytest
from django.db import transaction
from django.http.response import HttpResponseBase

from tests.api_client import API, Answer
from tests.contract.connections import one_connection
from tests.contract.document import Operation, operations
from tests.contract.hostile import Case, proper_requests
from tests.contract.roles import ROLES, Roles, Target, create_roles
from tests.contract.sample_data import SampleData
from tests.tables import all_rows

TABLE: Final = """
                                anonymous stranger owner participant former sender receiver blocked staff suspended deleted revoked expired service
auth_register                         201      201   201         201    201    201      201     201   201       201     201     201     201     201
auth_create_token                     201      201   201         201    201    201      201     201   201       401     401     201     201     201
auth_list_tokens                      401      200   200         200    200    200      200     200   200       401     401     401     401     401
auth_revoke_current_token             401      204   204         204    204    204      204     204   204       401     401     401     401     401
auth_revoke_token                     401      404   404         204    404    404      404     404   404       401     401     401     401     401
blocks_list                           401      200   200         200    200    200      200     200   200       401     401     401     401     401
looks_list                            401      200   200         200    200    200      200     200   200       401     401     401     401     401
looks_mark_seen                       401      204   204         204    204    204      204     204   204       401     401     401     401     401
blocks_put                            401      204   204         204    204    204      204     204   204       401     401     401     401     401
blocks_remove                         401      204   204         204    204    204      204     204   204       401     401     401     401     401
conversations_list                    401      200   200         200    200    200      200     200   200       401     401     401     401     401
conversations_start direct            401      201   201         201    201    200      200     200   201       401     401     401     401     401
conversations_start group             401      201   201         201    201    201      201     403   201       401     401     401     401     401
conversations_get direct              401      404   404         404    404    200      200     200   404       401     401     401     401     401
conversations_get group               401      404   200         200    404    200      200     200   404       401     401     401     401     401
conversations_update direct           401      404   404         404    404    409      409     409   404       401     401     401     401     401
conversations_update group            401      404   200         403    404    403      403     403   404       401     401     401     401     401
conversations_mute direct             401      404   404         404    404    204      204     204   404       401     401     401     401     401
conversations_mute group              401      404   204         204    404    204      204     204   404       401     401     401     401     401
conversations_unmute direct           401      404   404         404    404    204      204     204   404       401     401     401     401     401
conversations_unmute group            401      404   204         204    404    204      204     204   404       401     401     401     401     401
conversations_hide direct             401      404   404         404    404    204      204     204   404       401     401     401     401     401
conversations_hide group              401      404   204         204    404    204      204     204   404       401     401     401     401     401
conversations_unhide direct           401      404   404         404    404    204      204     204   404       401     401     401     401     401
conversations_unhide group            401      404   204         204    404    204      204     204   404       401     401     401     401     401
conversations_typing direct           401      404   404         404    404    204      204     204   404       401     401     401     401     401
conversations_typing group            401      404   204         204    404    204      204     204   404       401     401     401     401     401
conversations_mark_read direct        401      404   404         404    404    204      204     204   404       401     401     401     401     401
conversations_mark_read group         401      404   204         204    404    204      204     204   404       401     401     401     401     401
owners_add direct                     401      404   404         404    404    409      409     409   404       401     401     401     401     401
owners_add group                      401      404   204         403    404    403      403     403   404       401     401     401     401     401
owners_remove direct                  401      404   404         404    404    409      409     409   404       401     401     401     401     401
owners_remove group                   401      404   204         403    404    403      403     403   404       401     401     401     401     401
participants_list direct              401      404   404         404    404    200      200     200   404       401     401     401     401     401
participants_list group               401      404   200         200    404    200      200     200   404       401     401     401     401     401
participants_put direct               401      404   404         404    404    409      409     409   404       401     401     401     401     401
participants_put group                401      404   204         403    404    403      403     403   404       401     401     401     401     401
participants_remove direct            401      404   404         404    404    409      409     409   404       401     401     401     401     401
participants_remove group             401      404   204         403    404    403      403     403   404       401     401     401     401     401
invitations_create direct             401      404   404         404    404    409      409     409   404       401     401     401     401     401
invitations_create group              401      404   201         403    404    403      403     403   404       401     401     401     401     401
invitations_list direct               401      404   404         404    404    409      409     409   404       401     401     401     401     401
invitations_list group                401      404   200         403    404    403      403     403   404       401     401     401     401     401
invitations_revoke direct             401      404   404         404    404    409      409     409   404       401     401     401     401     401
invitations_revoke group              401      404   204         403    404    403      403     403   404       401     401     401     401     401
invitations_get                       200      200   200         200    200    200      200     200   200       200     200     200     200     200
invitations_accept                    401      200   200         200    200    200      200     200   200       401     401     401     401     401
messages_list direct                  401      404   404         404    404    200      200     200   404       401     401     401     401     401
messages_list group                   401      404   200         200    404    200      200     200   404       401     401     401     401     401
messages_send direct                  401      404   404         404    404    201      201     403   404       401     401     401     401     401
messages_send group                   401      404   201         201    404    201      201     201   404       401     401     401     401     401
messages_send_direct                  401      201   201         201    201    201      201     403   201       401     401     401     401     401
messages_get direct                   401      404   404         404    404    200      200     200   404       401     401     401     401     401
messages_get group                    401      404   200         200    404    200      200     200   404       401     401     401     401     401
messages_edit direct                  401      404   404         404    404    200      403     403   404       401     401     401     401     401
messages_edit group                   401      404   403         403    404    200      403     403   404       401     401     401     401     401
messages_delete direct                401      404   404         404    404    204      403     403   404       401     401     401     401     401
messages_delete group                 401      404   403         403    404    204      403     403   404       401     401     401     401     401
messages_list_receipts direct         401      404   404         404    404    200      200     200   404       401     401     401     401     401
messages_list_receipts group          401      404   200         200    404    200      200     200   404       401     401     401     401     401
messages_mark_read direct             401      404   404         404    404    422      204     204   404       401     401     401     401     401
messages_mark_read group              401      404   204         204    404    422      204     204   404       401     401     401     401     401
messages_mark_unread direct           401      404   404         404    404    422      204     204   404       401     401     401     401     401
messages_mark_unread group            401      404   204         204    404    422      204     204   404       401     401     401     401     401
threads_get direct                    401      404   404         404    404    200      200     200   404       401     401     401     401     401
threads_get group                     401      404   200         200    404    200      200     200   404       401     401     401     401     401
threads_list_replies direct           401      404   404         404    404    200      200     200   404       401     401     401     401     401
threads_list_replies group            401      404   200         200    404    200      200     200   404       401     401     401     401     401
history_list direct                   401      404   404         404    404    200      200     200   404       401     401     401     401     401
history_list group                    401      404   200         200    404    200      200     200   404       401     401     401     401     401
history_restore direct                401      404   404         404    404    200      403     403   404       401     401     401     401     401
history_restore group                 401      404   403         403    404    200      403     403   404       401     401     401     401     401
inbox_list                            401      200   200         200    200    200      200     200   200       401     401     401     401     401
catch_up_list                         401      200   200         200    200    200      200     200   200       401     401     401     401     401
inbox_summary                         401      200   200         200    200    200      200     200   200       401     401     401     401     401
inbox_mark_read                       401      204   204         204    204    204      204     204   204       401     401     401     401     401
notifications_list                    401      200   200         200    200    200      200     200   200       401     401     401     401     401
notifications_mark_read direct        401      404   404         404    404    404      204     204   404       401     401     401     401     401
notifications_mark_read group         401      404   204         204    404    404      204     204   404       401     401     401     401     401
me_get                                401      200   200         200    200    200      200     200   200       401     401     401     401     401
me_update                             401      200   200         200    200    200      200     200   200       401     401     401     401     401
me_delete                             401      200   200         200    200    200      200     200   200       401     401     401     401     401
me_preview_deletion                   401      200   200         200    200    200      200     200   200       401     401     401     401     401
me_export                             401      200   200         200    200    200      200     200   200       401     401     401     401     401
me_change_password                    401      204   204         204    204    204      204     204   204       401     401     401     401     401
events_stream                         401      200   200         200    200    200      200     200   200       401     401     401     401     401
events_poll                           401      200   200         200    200    200      200     200   200       401     401     401     401     401
users_search                          401      200   200         200    200    200      200     200   200       401     401     401     401     401
service_create_user                   401      401   401         401    401    401      401     401   401       401     401     401     401     201
service_create_token                  401      401   401         401    401    401      401     401   401       401     401     401     401     201
"""

Row = dict[str, int]

_TARGETED: Final = frozenset({"conversation_id", "message_id", "notification_id"})
_TARGETS: Final[tuple[Target, ...]] = ("direct", "group")
# What docs/security.md promises of every answer, refusals too.
_GUARDS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Nothing is kept, but a page that is asked after by its ETag each time.
_NOT_KEPT: Final = frozenset({"no-store", "private, no-store"})
_ASKED_AFTER: Final = {"messages_list": "private, no-cache"}
# What names one request, and lengths that follow from the path.
_OWN: Final = frozenset({"X-Request-ID", "Content-Length"})


def _parsed(table: str) -> dict[str, Row]:
    heading, *lines = table.strip("\n").splitlines()
    assert tuple(heading.split()) == ROLES
    rows: dict[str, Row] = {}
    for line in lines:
        words = line.split()
        name, cells = " ".join(words[: -len(ROLES)]), words[-len(ROLES) :]
        assert name not in rows, name
        rows[name] = {
            role: int(cell)
            for role, cell in zip(ROLES, cells, strict=True)
            if cell != "-"
        }
    return rows


ROWS: Final = _parsed(TABLE)
OPERATIONS: Final = {operation.id: operation for operation in operations()}


def _declared(operation: Operation) -> set[str]:
    """The rows that an operation needs."""
    targeted = {one.name for one in operation.parameters("path")} & _TARGETED
    if targeted or len(operation.bodies) > 1:
        return {f"{operation.id} {target}" for target in _TARGETS}
    return {operation.id}


def _proper(operation: Operation, sample_data: SampleData, target: Target) -> Case:
    """The request; of several kinds of body, the one for the target."""
    cases = proper_requests(operation, sample_data)
    return cases[_TARGETS.index(target) if len(cases) > 1 else 0]


def _unread(
    case: Case, operation: Operation, sample_data: SampleData
) -> HttpResponseBase:
    """An answer that is not read, since it may have no end; what it did is undone."""
    with transaction.atomic():
        response = sample_data.client.client.generic(
            operation.method,
            f"{API}{case.path}",
            case.body,
            content_type=case.content_type,
        )
        with one_connection():
            response.close()
        transaction.set_rollback(True)
    return response


def _assert_guarded(operation: Operation, response: HttpResponseBase) -> None:
    """No other site may show or read it, and no cache keep it."""
    headers = dict(response.headers)
    assert headers.items() >= _GUARDS.items(), operation.id
    if response.status_code == HTTPStatus.OK and operation.id in _ASKED_AFTER:
        assert headers["Cache-Control"] == _ASKED_AFTER[operation.id]
    else:
        assert headers["Cache-Control"] in _NOT_KEPT, operation.id


def _refused(case: Case, operation: Operation, sample_data: SampleData) -> Answer:
    """A refusal, kept with whatever it may have written."""
    answer = case.send(sample_data.client, operation)
    assert answer.status >= 400, (case, answer)
    assert answer.code
    return answer


def _comparable(answer: Answer) -> tuple[object, ...]:
    headers = {
        name: value for name, value in answer.headers.items() if name not in _OWN
    }
    body = {
        name: value
        for name, value in answer.json.items()
        if name not in {"request_id", "instance"}
    }
    return answer.status, headers, body


@pytest.fixture
def roles(db: None) -> Roles:
    return create_roles()


def test_the_matrix_has_rows_for_all_operations_and_no_others() -> None:
    needed = {row for operation in OPERATIONS.values() for row in _declared(operation)}
    assert ROWS.keys() == needed


def test_every_status_of_the_table_is_one_that_the_document_declares() -> None:
    for name, row in ROWS.items():
        assert set(row.values()) <= OPERATIONS[name.split()[0]].statuses, name


@pytest.mark.slow(but_one_in=4)
@pytest.mark.parametrize("name", ROWS)
def test_each_role_is_answered_as_declared(name: str, roles: Roles) -> None:
    """Every answer has safe headers; a refusal changes nothing, and does not reveal what exists."""
    row, operation = ROWS[name], OPERATIONS[name.split(maxsplit=1)[0]]
    target = _target(name)
    before = all_rows()
    answers = {}
    for role in row:
        sample_data = roles.sample_data(role, target)
        case = _proper(operation, sample_data, target)
        response = _unread(case, operation, sample_data)
        _assert_guarded(operation, response)
        answers[role] = response.status_code
    assert answers == row
    for role in (role for role, status in row.items() if status >= 400):
        sample_data = roles.sample_data(role, target)
        refusal = _refused(
            _proper(operation, sample_data, target), operation, sample_data
        )
        if refusal.status == 404:
            missing = roles.missing(role, target)
            other = _refused(_proper(operation, missing, target), operation, missing)
            assert _comparable(refusal) == _comparable(other), role
    assert all_rows() == before


def _target(name: str) -> Target:
    return "direct" if name.endswith(" direct") else "group"
