"""The export: all of one's own, nothing of anybody else's, however large."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import pairwise

import orjson
import pytest
from django.contrib.auth import SESSION_KEY
from django.core.signals import request_finished
from django.db import close_old_connections, connection
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from api.schemas.export import ExportLine
from messaging import access
from messaging.errors import ExportRunningError
from messaging.ids import ConversationId, TokenId, UserId
from messaging.models import (
    Conversation,
    ExportLease,
    LastSeen,
    Message,
    MessageHistory,
    User,
)
from messaging.projections import MessageProjection
from messaging.rates import Rate
from messaging.services import exports
from messaging.services.blocks import block
from messaging.services.conversations import start_group
from messaging.services.exports import (
    PAGE_SIZE,
    begin_export,
    clear_expired_exports,
    export_account,
)
from messaging.services.participants import remove_participant
from messaging.services.presence import declare_present, set_shows_presence
from messaging.services.tokens import issue_token, revoke_token
from tests.api_client import Json
from tests.conftest import PASSWORD
from tests.rows import overwrite

Write = Callable[[int], None]

EXPORT = "/api/v1/me/export"


def exported(user: User) -> list[Json]:
    return [
        orjson.loads(line) for line in b"".join(stream(signed_in(user))).splitlines()
    ]


def signed_in(user: User) -> Client:
    secret = issue_token(user=user, name="export", expires_in=None).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def stream(client: Client) -> Iterator[bytes]:
    response = client.get(EXPORT)
    assert response.status_code == HTTPStatus.OK
    # Of what the test client answers with, only a stream has it.
    chunks: object = getattr(response, "streaming_content")  # noqa: B009
    assert isinstance(chunks, Iterator)
    return chunks


def close(response: HttpResponseBase) -> None:
    """As the test client does at an answer's end: the connection is the test's."""
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)


def of_type(lines: list[Json], wanted: str) -> list[Json]:
    return [line for line in lines if line["type"] == wanted]


def leave(user: User, group: Conversation) -> None:
    membership = access.membership(
        reader=UserId(user.pk), conversation_id=ConversationId(group.pk)
    )
    remove_participant(membership=membership, username=user.username)


def edit(message: Message, *contents: str) -> None:
    for content in contents:
        message.content = content
        message.save()


@pytest.fixture
def group(ann: User, bob: User, cleo: User) -> Conversation:
    return start_group(
        owner=ann, title="LimitStatus", usernames=["bob", "cleo"]
    ).conversation


@pytest.fixture
def send_many(ann: User, bob: User, group: Conversation) -> Write:
    """Fill a group with messages of Ann, by rows: signals would take too long."""

    def write(number: int) -> None:
        first = Message.objects.count() + 1
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO messaging_message (conversation_id, sequence, sender_id,"
                " content, timestamp, read, edited, content_version, reply_count)"
                " VALUES (%s, %s, %s, 'x', %s, %s, %s, 1, 0)",
                [
                    (group.pk, sequence, ann.pk, group.created_at, True, False)
                    for sequence in range(first, first + number)
                ],
            )

    return write


def test_the_file_is_described_by_its_headers(ann: User) -> None:
    response = signed_in(ann).get(EXPORT)
    assert response["Content-Type"] == "application/x-ndjson"
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response["Cache-Control"] == "no-store"


def test_the_document_describes_a_line(ann: User) -> None:
    document = orjson.loads(Client().get("/api/v1/openapi.json").content)
    answer = document["paths"]["/api/v1/me/export"]["get"]["responses"]["200"]
    assert answer["content"] == {
        "application/x-ndjson": {"schema": {"$ref": "#/components/schemas/ExportLine"}}
    }
    line = document["components"]["schemas"]["ExportLine"]
    assert line["discriminator"]["mapping"].keys() == {
        "profile",
        "block",
        "conversation",
        "message",
        "version",
        "look",
        "invitation",
        "end",
    }


def test_every_line_has_its_documented_shape(
    ann: User, bob: User, group: Conversation
) -> None:
    edit(Message.objects.create(sender=ann, receiver=bob, content="one"), "two")
    lines = exported(ann)
    assert [line["type"] for line in lines] == [
        "profile",
        "conversation",
        "conversation",
        "message",
        "version",
        "end",
    ]
    for line in lines:
        parsed = ExportLine.model_validate(line, strict=False)
        assert parsed.model_dump(mode="json").keys() == line.keys()


def test_the_profile_has_the_settings_and_when_one_was_seen(ann: User) -> None:
    (never,) = of_type(exported(ann), "profile")
    assert (never["shows_presence"], never["last_seen_at"]) == (True, None)
    declare_present(process="p", users=[UserId(ann.pk)])
    (seen,) = of_type(exported(ann), "profile")
    at = LastSeen.objects.get().at
    told = datetime.fromisoformat(str(seen["last_seen_at"]))
    assert abs(told - at) < timedelta(milliseconds=1)
    set_shows_presence(user=ann, shows_presence=False)
    (hidden,) = of_type(exported(ann), "profile")
    assert (hidden["shows_presence"], hidden["last_seen_at"]) == (False, None)


def test_own_messages_come_with_what_they_said_before(ann: User, bob: User) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="one")
    edit(message, "two", "three")
    lines = exported(ann)
    (line,) = of_type(lines, "message")
    assert (line["id"], line["content"], line["version"]) == (message.pk, "three", 3)
    versions = of_type(lines, "version")
    assert [(line["version"], line["content"]) for line in versions] == [
        (1, "one"),
        (2, "two"),
    ]
    assert {line["message_id"] for line in versions} == {message.pk}
    assert lines.index(versions[0]) == lines.index(line) + 1


def test_own_messages_in_groups_that_were_left_are_exported(
    bob: User, group: Conversation
) -> None:
    message = Message.objects.create(sender=bob, conversation=group, content="one")
    edit(message, "two")
    leave(bob, group)
    lines = exported(bob)
    assert [line["content"] for line in of_type(lines, "message")] == ["two"]
    assert [line["content"] for line in of_type(lines, "version")] == ["one"]
    # Where they no longer take part, its title is no longer theirs to see.
    assert of_type(lines, "conversation") == []


def test_direct_messages_received_come_without_their_histories(
    ann: User, bob: User
) -> None:
    edit(Message.objects.create(sender=bob, receiver=ann, content="draft"), "final")
    lines = exported(ann)
    assert [line["content"] for line in of_type(lines, "message")] == ["final"]
    assert of_type(lines, "version") == []


def test_messages_of_other_conversations_are_not_exported(
    ann: User, bob: User, cleo: User, group: Conversation
) -> None:
    secret = Message.objects.create(sender=bob, conversation=group, content="SECRET-1")
    edit(secret, "SECRET-2")
    Message.objects.create(
        sender=cleo, conversation=group, content="SECRET-3", parent_message=secret
    )
    Message.objects.create(sender=bob, receiver=cleo, content="SECRET-4")
    Message.objects.create(sender=ann, conversation=group, content="mine")
    whole = b"".join(stream(signed_in(ann)))
    assert b"SECRET" not in whole
    assert b"mine" in whole


def test_deleted_content_is_not_exported(
    ann: User, bob: User, group: Conversation
) -> None:
    message = Message.objects.create(sender=ann, conversation=group, content="GONE-1")
    edit(message, "GONE-2")
    Message.objects.create(
        sender=bob, conversation=group, content="reply", parent_message=message
    )
    assert signed_in(ann).delete(f"/api/v1/messages/{message.pk}").status_code == 204
    assert Message.objects.get(pk=message.pk).deleted
    assert b"GONE" not in b"".join(stream(signed_in(ann)))


def test_the_last_line_counts_the_others(ann: User, bob: User) -> None:
    edit(Message.objects.create(sender=ann, receiver=bob, content="one"), "two")
    Message.objects.create(sender=bob, receiver=ann, content="answer")
    lines = exported(ann)
    assert lines[-1] == {
        "type": "end",
        "counts": {"profile": 1, "conversation": 1, "message": 2, "version": 1},
    }


def test_every_message_is_there_once_over_many_pages(
    ann: User, send_many: Write
) -> None:
    send_many(2 * PAGE_SIZE + 1)
    edited = Message.objects.order_by("-pk")[PAGE_SIZE // 2]
    edit(edited, "edited")
    lines = exported(ann)
    ids = [line["id"] for line in of_type(lines, "message")]
    assert ids == list(Message.objects.order_by("pk").values_list("pk", flat=True))
    assert [line["message_id"] for line in of_type(lines, "version")] == [edited.pk]


def test_a_history_longer_than_a_page_is_whole(ann: User, bob: User) -> None:
    messages = [
        Message.objects.create(sender=ann, receiver=bob, content="now") for _ in "12"
    ]
    plain: QuerySet[MessageHistory] = QuerySet(MessageHistory)
    for message in messages:
        plain.bulk_create(
            MessageHistory(
                message=message,
                conversation_id=message.conversation_id,
                version=number,
                old_content="then",
                edited_by=ann,
            )
            for number in range(1, PAGE_SIZE + 2)
        )
        rows = Message.objects.filter(pk=message.pk)
        overwrite(rows, edited=True, content_version=PAGE_SIZE + 2)
    found = [
        (line["message_id"], line["version"])
        for line in of_type(exported(ann), "version")
    ]
    assert found == [
        (message.pk, number)
        for message in messages
        for number in range(1, PAGE_SIZE + 2)
    ]


def test_an_edit_while_it_runs_shows_in_neither_half(ann: User, bob: User) -> None:
    messages = [
        Message.objects.create(sender=ann, receiver=bob, content="one") for _ in "12"
    ]
    for message in messages:
        edit(message, "two")
    seen: list[tuple[int, str]] = []
    for record in export_account(user_id=UserId(ann.pk)):
        if isinstance(record, MessageProjection):
            seen.append((record.pk, record.content))
            edit(Message.objects.get(pk=record.pk), "three")
        elif isinstance(record, MessageHistory):
            seen.append((record.message_id, record.old_content))
    first, second = (message.pk for message in messages)
    assert seen == [(first, "two"), (first, "one"), (second, "two"), (second, "one")]


def test_a_revoked_token_ends_the_file_before_its_end(
    ann: User, send_many: Write
) -> None:
    send_many(3 * PAGE_SIZE)
    issued = issue_token(user=ann, name="phone", expires_in=None)
    chunks = stream(Client(headers={"Authorization": f"Bearer {issued.secret}"}))
    first = next(chunks)
    revoke_token(owner=UserId(ann.pk), token_id=TokenId(issued.token.pk))
    assert list(chunks) == []
    assert b'"type":"end"' not in first


def test_a_deleted_account_ends_the_file_before_its_end(
    ann: User, send_many: Write
) -> None:
    send_many(3 * PAGE_SIZE)
    chunks = stream(signed_in(ann))
    next(chunks)
    ann.delete()
    assert list(chunks) == []


def test_a_session_that_ended_ends_the_file_before_its_end(
    ann: User, send_many: Write
) -> None:
    send_many(3 * PAGE_SIZE)
    client = Client()
    assert client.login(username="ann", password=PASSWORD)
    whole = b"".join(stream(client))
    assert whole.endswith(b"}}\n")
    chunks = stream(client)
    next(chunks)
    assert SESSION_KEY in client.session
    client.session.delete()
    assert list(chunks) == []


def test_a_new_password_elsewhere_ends_a_sessions_file(
    ann: User, send_many: Write
) -> None:
    send_many(3 * PAGE_SIZE)
    client = Client()
    assert client.login(username="ann", password=PASSWORD)
    chunks = stream(client)
    next(chunks)
    ann.set_password("another one entirely")
    ann.save()
    assert list(chunks) == []


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_client_reads(
    ann: User, send_many: Write
) -> None:
    send_many(2 * PAGE_SIZE)
    chunks = stream(signed_in(ann))
    next(chunks)
    assert connection.get_autocommit()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname ="
                " current_database() AND state = 'idle in transaction'"
            )
            assert cursor.fetchone() == (0,)
    # Another connection could write now, and so can this one.
    edit(Message.objects.order_by("pk")[0], "written meanwhile")
    assert list(chunks)


def test_a_page_costs_the_same_number_of_queries_however_many_were_edited(
    ann: User, send_many: Write
) -> None:
    """Authentication, the profile, the conversations; for each page of messages itself,
    its versions, and whether the token still holds."""
    numbers: list[int] = []
    for edits in (1, 20):
        send_many(50)
        for message in Message.objects.order_by("-pk")[:edits]:
            edit(message, "edited")
        client = signed_in(ann)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert list(stream(client))
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]


def test_another_page_costs_four_more_queries(ann: User, send_many: Write) -> None:
    """The messages, their versions and that there are no more, the token."""
    numbers: list[int] = []
    for _ in range(3):
        send_many(PAGE_SIZE)
        edit(Message.objects.order_by("-pk")[0], "edited")
        client = signed_in(ann)
        with CaptureQueriesContext(connection) as queries:
            assert list(stream(client))
        numbers.append(len(queries))
    assert all(after - before == 4 for before, after in pairwise(numbers))


def test_a_person_has_one_export_at_a_time(ann: User, bob: User) -> None:
    begun = begin_export(user_id=UserId(ann.pk))
    # From whichever form, command or request they come.
    browser = Client()
    assert browser.login(username="ann", password=PASSWORD)
    for client in (signed_in(ann), browser):
        refused = client.get(EXPORT)
        assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert orjson.loads(refused.content)["code"] == "export_running"
        assert int(refused["Retry-After"]) > 0
    assert exported(bob)[-1]["type"] == "end"
    begun.end()
    assert exported(ann)[-1]["type"] == "end"


def test_an_unread_response_releases_the_lease(ann: User) -> None:
    close(signed_in(ann).get(EXPORT))
    assert not ExportLease.objects.exists()


def test_the_lease_of_a_killed_process_expires(ann: User) -> None:
    begin_export(user_id=UserId(ann.pk))
    with pytest.raises(ExportRunningError):
        begin_export(user_id=UserId(ann.pk))
    ExportLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert clear_expired_exports() == 1
    begin_export(user_id=UserId(ann.pk))


def test_an_export_that_lost_its_lease_stops_and_leaves_the_next_lease(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_RENEWED_AFTER", timedelta(0))
    late = begin_export(user_id=UserId(ann.pk))
    assert late.goes_on()
    ExportLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    begin_export(user_id=UserId(ann.pk))
    assert not late.goes_on()
    late.end()
    assert ExportLease.objects.get().expires_at > timezone.now()


def test_a_running_export_renews_its_lease(
    ann: User, send_many: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_many(2 * PAGE_SIZE)
    monkeypatch.setattr(exports, "_RENEWED_AFTER", timedelta(0))
    chunks = stream(signed_in(ann))
    next(chunks)
    soon = timezone.now() + timedelta(seconds=1)
    ExportLease.objects.update(expires_at=soon)
    next(chunks)
    assert ExportLease.objects.get().expires_at > soon + timedelta(seconds=30)
    assert list(chunks)


def test_exports_are_limited_for_each_account(
    ann: User, bob: User, settings: Settings
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_EXPORTS = Rate(1, 1000 * 24 * 3600)
    client = signed_in(ann)
    assert list(stream(client))
    refused = client.get(EXPORT)
    assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert '"exports";r=0;' in refused["RateLimit"]
    assert list(stream(signed_in(bob)))


def test_an_export_requires_a_signed_in_user(db: None) -> None:
    assert Client().get(EXPORT).status_code == HTTPStatus.UNAUTHORIZED


def test_users_one_blocked_are_exported_and_blockers_are_not(
    ann: User, bob: User, cleo: User
) -> None:
    block(blocker=ann, blocked=bob)
    block(blocker=cleo, blocked=ann)
    (line,) = of_type(exported(ann), "block")
    shown = line["user"]
    assert isinstance(shown, dict)
    assert shown["username"] == "bob"
