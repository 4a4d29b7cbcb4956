"""The cached conversation page: never stale, never someone else's."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from messaging.ids import UserId
from messaging.models import Conversation, Installation, Message, User
from messaging.services.conversations import rename_group
from messaging.services.messages import delete_message, edit_message
from messaging.services.notifications import mark_message_read, mark_message_unread
from messaging.services.participants import remove_participant
from messaging.services.users import change_display_name
from tests.api_client import API, Answer, ApiClient
from tests.proofs import membership_of, own_of, owned_by, received_by
from tests.rows import overwrite

Change = Callable[[Message], object]


@pytest.fixture
def path(message: Message) -> str:
    return f"/conversations/{message.conversation_id}/messages"


def _x_cache(answer: Answer) -> str:
    assert answer.status == HTTPStatus.OK, answer.body
    return answer.headers["X-Cache"]


def test_a_page_is_made_once(as_bob: ApiClient, path: str) -> None:
    made, kept = as_bob.get(path), as_bob.get(path)
    assert (_x_cache(made), _x_cache(kept)) == ("miss", "hit")
    assert made.body == kept.body
    assert made.items[0]["content"] == "hello"


def test_participants_share_a_page(
    as_ann: ApiClient, as_bob: ApiClient, path: str
) -> None:
    assert _x_cache(as_ann.get(path)) == "miss"
    assert _x_cache(as_bob.get(path)) == "hit"


def test_sessions_and_tokens_share_a_page(
    as_bob: ApiClient, browser: Client, path: str
) -> None:
    assert _x_cache(as_bob.get(path)) == "miss"
    assert browser.get(f"{API}{path}").headers["X-Cache"] == "hit"


@pytest.mark.parametrize("lookup", ["miss", "hit"])
def test_browsers_and_proxies_keep_no_page(
    as_bob: ApiClient, path: str, lookup: str
) -> None:
    answer = as_bob.get(path)
    if lookup == "hit":
        answer = as_bob.get(path)
    assert _x_cache(answer) == lookup
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Authorization, Cookie"
    assert "Expires" not in answer.headers


def test_a_cache_hit_queries_only_the_user_and_the_version(
    as_bob: ApiClient, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    as_bob.get(path)
    with django_assert_num_queries(2):
        assert _x_cache(as_bob.get(path)) == "hit"


@pytest.mark.parametrize("wrap", ["{}", "W/{}", '"other", {}'])
def test_an_unchanged_page_is_answered_with_304(
    as_bob: ApiClient, path: str, wrap: str
) -> None:
    etag = as_bob.get(path).headers["ETag"]
    answer = as_bob.call("GET", path, headers={"If-None-Match": wrap.format(etag)})
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["ETag"] == etag
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Authorization, Cookie"


@pytest.mark.parametrize("sent", ['"other"', "", "nonsense"])
def test_another_etag_gets_the_page(as_bob: ApiClient, path: str, sent: str) -> None:
    answer = as_bob.call("GET", path, headers={"If-None-Match": sent})
    assert answer.items[0]["content"] == "hello"


def test_each_query_has_a_page_and_an_etag(as_bob: ApiClient, path: str) -> None:
    answers = [
        as_bob.get(f"{path}{query}")
        for query in ("", "?limit=1", "?limit=2", "?after_sequence=0")
    ]
    assert {_x_cache(answer) for answer in answers} == {"miss"}
    assert len({answer.headers["ETag"] for answer in answers}) == 4


def _edit(message: Message) -> None:
    assert message.sender is not None
    edit_message(message=own_of(message.sender, message), content="changed")


def _delete(message: Message) -> None:
    assert message.sender is not None
    delete_message(message=own_of(message.sender, message))


def _save(message: Message) -> None:
    message.content = "saved"
    message.save()


def _reply(message: Message) -> None:
    Message.objects.create(
        sender=message.receiver, parent_message=message, content="reply"
    )


def _read(message: Message) -> None:
    reader = User.objects.get(username="bob")
    mark_message_read(message=received_by(reader, message), reader=UserId(reader.pk))


def _rename(message: Message) -> None:
    assert message.receiver is not None
    change_display_name(user=message.receiver, display_name="Robert")


@pytest.mark.parametrize("change", [_edit, _save, _delete, _reply, _read, _rename])
def test_a_page_shows_every_change_at_once(
    as_ann: ApiClient, path: str, message: Message, change: Change
) -> None:
    before = as_ann.get(path)
    change(message)
    after = as_ann.call("GET", path, headers={"If-None-Match": before.headers["ETag"]})
    assert _x_cache(after) == "miss"
    assert after.body != before.body
    assert after.headers["ETag"] != before.headers["ETag"]


def test_marking_unread_shows_at_once(
    as_ann: ApiClient, bob: User, path: str, message: Message
) -> None:
    _read(message)
    assert as_ann.get(path).items[0]["read"] is True
    mark_message_unread(message=received_by(bob, message), reader=UserId(bob.pk))
    assert as_ann.get(path).items[0]["read"] is False


def test_a_new_title_renews_the_page(
    as_bob: ApiClient, ann: User, group: Conversation
) -> None:
    path = f"/conversations/{group.pk}/messages"
    before = as_bob.get(path).headers["ETag"]
    rename_group(group=owned_by(ann, group), title="Crew")
    assert as_bob.get(path).headers["ETag"] != before


def test_a_restored_backup_serves_no_old_cached_page(
    as_bob: ApiClient, path: str
) -> None:
    before = as_bob.get(path).headers["ETag"]
    overwrite(Installation.objects.all(), epoch="another")
    after = as_bob.get(path)
    assert _x_cache(after) == "miss"
    assert after.headers["ETag"] != before


def test_a_new_release_serves_no_old_cached_page(
    as_bob: ApiClient, path: str, settings: Settings
) -> None:
    before = as_bob.get(path).headers["ETag"]
    settings.PARLEY_BUILD = "99"
    after = as_bob.get(path)
    assert _x_cache(after) == "miss"
    assert after.headers["ETag"] != before


@pytest.mark.parametrize("etag", [False, True])
def test_strangers_and_anonymous_clients_get_no_cached_page(
    as_bob: ApiClient, as_cleo: ApiClient, anonymous: ApiClient, path: str, etag: bool
) -> None:
    known = as_bob.get(path).headers["ETag"]
    headers = {"If-None-Match": known} if etag else {}
    stranger = as_cleo.call("GET", path, headers=headers)
    assert (stranger.status, stranger.code) == (404, "conversation_not_found")
    nobody = anonymous.call("GET", path, headers=headers)
    assert (nobody.status, nobody.code) == (401, "not_authenticated")


def test_a_former_participant_gets_no_cached_page(
    as_bob: ApiClient, bob: User, ann: User, group: Conversation
) -> None:
    path = f"/conversations/{group.pk}/messages"
    Message.objects.create(sender=ann, conversation=group, content="secret")
    etag = as_bob.get(path).headers["ETag"]
    remove_participant(membership=membership_of(bob, group), username="bob")
    answer = as_bob.call("GET", path, headers={"If-None-Match": etag})
    assert (answer.status, answer.code) == (404, "conversation_not_found")


def test_request_headers_do_not_change_the_cache_key(
    as_ann: ApiClient, as_bob: ApiClient, path: str, message: Message
) -> None:
    as_ann.call("GET", path, headers={"X-Cache-Scope": "mine"})
    assert _x_cache(as_bob.get(path)) == "hit"
    _edit(message)
    for scope in ("mine", "0.1.0"):
        answer = as_bob.call("GET", path, headers={"X-Cache-Scope": scope})
        assert answer.items[0]["content"] == "changed"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("?utm=1", "/utm"),
        ("?limit=1&limit=2", "/limit"),
        ("?Limit=1", "/Limit"),
        ("?limit=0", "/limit"),
        ("?limit=201", "/limit"),
        ("?limit=x", "/limit"),
        ("?cursor=x", "/cursor"),
        ("?around=0", "/around"),
        ("?after_sequence=-1", "/after_sequence"),
    ],
)
def test_a_bad_query_is_refused_and_not_kept(
    as_bob: ApiClient, path: str, query: str, pointer: str
) -> None:
    for _ in range(2):
        answer = as_bob.get(f"{path}{query}")
        assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert answer.code in {"invalid_request", "invalid_cursor"}
        (error,) = answer.list("errors")
        assert isinstance(error, dict)
        assert (error["source"], error["pointer"]) == ("query", pointer)
        assert "X-Cache" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_refusal_comes_before_the_cache(as_bob: ApiClient, path: str) -> None:
    as_bob.get(path)
    answer = as_bob.call("GET", f"{path}?bust=1", headers={"If-None-Match": "*"})
    assert (answer.status, answer.code) == (422, "invalid_request")
    cache.clear()
    assert _x_cache(as_bob.get(path)) == "miss"


@pytest.mark.parametrize("conversation_id", ["0", "x", str(2**63)])
def test_an_invalid_id_is_refused(as_bob: ApiClient, conversation_id: str) -> None:
    answer = as_bob.get(f"/conversations/{conversation_id}/messages")
    assert (answer.status, answer.code) == (422, "invalid_request")
    (error,) = answer.list("errors")
    assert isinstance(error, dict)
    assert (error["source"], error["pointer"]) == ("path", "/conversation_id")


def test_a_page_around_a_missing_message_is_not_kept(
    as_ann: ApiClient, cleo: User, ann: User, path: str
) -> None:
    elsewhere = Message.objects.create(sender=ann, receiver=cleo, content="x")
    for _ in range(2):
        answer = as_ann.get(f"{path}?around={elsewhere.pk}")
        assert (answer.status, answer.code) == (404, "message_not_found")


def test_an_empty_page_is_kept_too(as_bob: ApiClient, group: Conversation) -> None:
    path = f"/conversations/{group.pk}/messages"
    assert [_x_cache(as_bob.get(path)) for _ in range(2)] == ["miss", "hit"]


def test_a_cursor_keeps_the_order_of_its_page(
    as_bob: ApiClient, ann: User, bob: User, path: str, message: Message
) -> None:
    for number in range(4):
        Message.objects.create(sender=ann, receiver=bob, content=str(number))
    newest = [item["sequence"] for item in as_bob.paginate(path, limit=2)]
    first = as_bob.get(f"{path}?after_sequence=1&limit=3")
    rest = as_bob.get(f"{path}?cursor={first.text('next_cursor')}&limit=3")
    oldest = [item["sequence"] for item in [*first.items, *rest.items]]
    around = as_bob.get(f"{path}?around={message.pk}&limit=2")
    assert newest == [5, 4, 3, 2, 1]
    assert oldest == [2, 3, 4, 5]
    assert [item["sequence"] for item in around.items] == [2, 1]


@pytest.mark.parametrize("query", ["?around=1&after_sequence=1", "?cursor=x&around=1"])
def test_a_page_takes_only_one_starting_point(
    as_bob: ApiClient, path: str, query: str
) -> None:
    answer = as_bob.get(f"{path}{query}")
    assert (answer.status, answer.code) == (422, "invalid_request")
