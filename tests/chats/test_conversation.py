"""A conversation as a page: who sees what, and that it is never old."""

import gzip
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from edge.pieces import compressed_piece
from messaging.models import Conversation, Message, Notification, User
from messaging.services.blocks import block
from messaging.services.conversations import start_group
from messaging.services.messages import delete_message, edit_message
from tests.chats.html import parse
from tests.proofs import own_of
from tests.rows import overwrite

IN_PLACE = {"HX-Request": "true"}
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def message(ann: User, bob: User) -> Message:
    return Message.objects.create(sender=ann, receiver=bob, content="Tea at four?")


@pytest.fixture
def path(message: Message) -> str:
    return f"/conversations/{message.conversation_id}"


@pytest.fixture
def group(ann: User, bob: User) -> Conversation:
    return start_group(owner=ann, title="Crew", usernames=["bob"]).conversation


def test_both_see_what_was_said(anns: Client, bobs: Client, path: str) -> None:
    for browser, other in ((anns, "Bob"), (bobs, "Ann")):
        page = parse(browser.get(path).content)
        assert "Tea at four?" in page.text
        assert f"{other} · Parley" in page.text


@pytest.mark.parametrize(
    "what", ["", "/messages", "/composer", "/messages?around=1", "?around=1"]
)
def test_strangers_get_not_found(cleos: Client, path: str, what: str) -> None:
    theirs, missing = cleos.get(f"{path}{what}"), cleos.get(f"{path}77{what}")
    assert theirs.status_code == missing.status_code == HTTPStatus.NOT_FOUND
    assert parse(theirs.content).text == parse(missing.content).text
    assert "There is no such conversation." in parse(theirs.content).text


@pytest.mark.parametrize("what", ["send", "read"])
def test_strangers_write_nothing(cleos: Client, path: str, what: str) -> None:
    answer = cleos.post(f"{path}/{what}", {"content": "x", "up_to": "1"})
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert Message.objects.count() == 1


def test_its_rows_are_the_same_for_everyone(
    anns: Client, bobs: Client, path: str
) -> None:
    first, second = anns.get(f"{path}/messages"), bobs.get(f"{path}/messages")
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("miss", "hit")
    assert first.content == second.content
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert b"csrf" not in first.content


def test_page_and_rows_share_what_is_cached(
    anns: Client, bobs: Client, path: str, message: Message
) -> None:
    assert anns.get(f"{path}/messages").headers["X-Cache"] == "miss"
    assert bobs.get(path).headers["X-Cache"] == "hit"
    reply = anns.get(f"{path}?reply={message.pk}")
    assert reply.headers["X-Cache"] == "hit"


@pytest.mark.parametrize("query", ["n=1", "cursor_=x", "n=1&n=2", "%00"])
def test_rows_without_a_position_come_from_the_cache(
    anns: Client, path: str, query: str
) -> None:
    first = anns.get(f"{path}/messages")
    again = anns.get(f"{path}/messages?{query}")
    assert again.headers["X-Cache"] == "hit"
    assert again.headers["ETag"] == first.headers["ETag"]
    assert anns.get(f"{path}?{query}").headers["X-Cache"] == "hit"


def test_rows_that_did_not_change_are_not_sent_again(anns: Client, path: str) -> None:
    etag = anns.get(f"{path}/messages").headers["ETag"]
    known = {"If-None-Match": etag}
    answer = anns.get(f"{path}/messages", headers=known)
    assert answer.status_code == HTTPStatus.NOT_MODIFIED
    # A page holds what is no part of that name.
    assert anns.get(path, headers=known).status_code == HTTPStatus.OK


@pytest.mark.parametrize("what", ["", "?around={message}", "/messages"])
def test_a_compressed_page_is_the_page(
    anns: Client, path: str, message: Message, what: str
) -> None:
    address = f"{path}{what.format(message=message.pk)}"
    anns.get(address)
    plain = anns.get(address)
    answer = anns.get(address, headers=GZIP)
    assert answer.headers["X-Cache"] == "hit"
    assert "Content-Encoding" not in plain.headers
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    for each in (plain, answer):
        assert "Accept-Encoding" in each.headers["Vary"]
    assert parse(gzip.decompress(answer.content)).text == parse(plain.content).text


def test_rows_are_compressed_once(anns: Client, bobs: Client, path: str) -> None:
    # For both, no line stands within the rows.
    bobs.post(f"{path}/read", {"up_to": "1"})
    rows = anns.get(f"{path}/messages").content
    kept = compressed_piece(rows).deflated
    assert kept is not None
    for browser in (anns, bobs):
        for what in ("", "/messages"):
            answer = browser.get(f"{path}{what}", headers=GZIP)
            assert answer.headers["X-Cache"] == "hit"
            assert kept in answer.content


def test_a_compressed_page_has_the_line_above_what_is_new(
    bobs: Client, path: str
) -> None:
    page = gzip.decompress(bobs.get(path, headers=GZIP).content)
    assert parse(page).ids("unread-line") == ["unread-line"]


def test_compressed_rows_that_did_not_change_are_not_sent_again(
    anns: Client, path: str
) -> None:
    answer = anns.get(f"{path}/messages", headers=GZIP)
    assert answer.headers["ETag"].startswith('W/"')
    known = {**GZIP, "If-None-Match": answer.headers["ETag"]}
    again = anns.get(f"{path}/messages", headers=known)
    assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b"")


@pytest.mark.parametrize("what", ["", "/messages"])
def test_a_head_request_gets_the_headers_alone(
    anns: Client, path: str, what: str
) -> None:
    answer = anns.head(f"{path}{what}", headers=GZIP)
    assert (answer.status_code, answer.content) == (HTTPStatus.OK, b"")
    assert answer.headers["Content-Encoding"] == "gzip"


def test_the_page_is_never_old(
    anns: Client, bobs: Client, ann: User, path: str, message: Message
) -> None:
    for browser in (anns, bobs):
        browser.get(path)
    edit_message(message=own_of(ann, message), content="Tea at five?")
    for browser in (anns, bobs):
        assert "Tea at five?" in parse(browser.get(path).content).text
    delete_message(message=own_of(ann, message))
    for browser in (anns, bobs):
        assert "Nothing here yet." in parse(browser.get(path).content).text


def test_own_controls_are_there_for_the_style_to_show(
    anns: Client, bobs: Client, ann: User, path: str
) -> None:
    (row,) = [
        attributes
        for attributes in parse(bobs.get(path).content).all("li")
        if "data-sender" in attributes
    ]
    assert row["data-sender"] == str(ann.pk)
    style = anns.get(f"/account/{ann.pk}/own.css").content.decode()
    assert f'[data-sender="{ann.pk}"] .own-only' in style


def test_a_line_stands_above_what_is_new(
    anns: Client, bobs: Client, ann: User, bob: User, path: str, message: Message
) -> None:
    bobs.post(f"{path}/read", {"up_to": "1"})
    forged = Message.objects.create(
        sender=ann, receiver=bob, content='<li id="m1"><li id="unread-line">'
    )
    Message.objects.create(sender=ann, receiver=bob, content="more")
    assert parse(anns.get(path).content).ids("unread-line") == []
    page = bobs.get(path).content.decode()
    line, first = page.index('id="unread-line"'), page.index(f'<li id="m{forged.pk}"')
    assert page.index(f'<li id="m{message.pk}"') < line < first
    assert page.count('id="unread-line"') == 1


def test_reading_is_reported_by_the_page(
    bobs: Client, bob: User, path: str, message: Message
) -> None:
    bobs.get(path)
    assert Notification.objects.filter(user=bob, is_read=False).exists()
    answer = bobs.post(f"{path}/read", {"up_to": "1"})
    assert answer.headers["Location"] == path
    assert not Notification.objects.filter(user=bob, is_read=False).exists()


def test_a_fragment_carries_the_unread_count(bobs: Client, path: str) -> None:
    answer = bobs.post(f"{path}/read", {"up_to": "1"}, headers=IN_PLACE)
    (badge,) = parse(answer.content).all("b")
    assert (badge["data-count"], badge["hx-swap-oob"]) == ("0", "true")


@pytest.mark.parametrize("up_to", ["", "x", "-1", "1" * 30, "²"])
def test_an_invalid_position_marks_nothing_read(
    bobs: Client, path: str, up_to: str
) -> None:
    answer = bobs.post(f"{path}/read", {"up_to": up_to})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert Notification.objects.filter(is_read=False).exists()


@pytest.fixture
def five(ann: User, bob: User, message: Message) -> list[Message]:
    """Ann's to Bob, of which `message` is the first."""
    more = [
        Message.objects.create(sender=ann, receiver=bob, content=f"{number}")
        for number in range(4)
    ]
    return [message, *more]


def _unread(reader: User) -> list[int]:
    """Sequences."""
    unread = Notification.objects.filter(user=reader, is_read=False)
    return sorted(unread.values_list("message__sequence", flat=True))


def test_only_what_was_on_the_screen_is_marked(
    bobs: Client, bob: User, path: str, five: list[Message]
) -> None:
    answer = bobs.post(f"{path}/read", {"range": ["2-2", "4-9"]}, headers=IN_PLACE)
    assert answer.status_code == HTTPStatus.OK
    assert _unread(bob) == [1, 3]
    (badge,) = parse(answer.content).all("b")
    assert badge["data-count"] == "2"


@pytest.mark.parametrize(
    "ranges",
    [
        ["1"],
        ["1-"],
        ["-1"],
        ["0-1"],
        ["2-1"],
        ["1-2-3"],
        ["1-\u00b2"],
        ["1- 2"],
        ["1-x"],
        [f"1-{2**63}"],
        ["1-1", ""],
        ["1-1"] * 101,
    ],
)
def test_what_is_no_range_marks_nothing(
    bobs: Client, bob: User, path: str, five: list[Message], ranges: list[str]
) -> None:
    answer = bobs.post(f"{path}/read", {"range": ranges})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert _unread(bob) == [1, 2, 3, 4, 5]


def test_a_hundred_ranges_are_marked_at_once(
    bobs: Client, bob: User, path: str, five: list[Message]
) -> None:
    ranges = [f"{first}-{first}" for first in range(2, 202, 2)]
    assert bobs.post(f"{path}/read", {"range": ranges}).status_code == HTTPStatus.FOUND
    assert _unread(bob) == [1, 3, 5]


def test_sending_comes_back_to_what_was_sent(bobs: Client, path: str) -> None:
    answer = bobs.post(f"{path}/send", {"content": "Yes."})
    sent = Message.objects.get(content="Yes.")
    assert answer.headers["Location"] == f"{path}?end=1#m{sent.pk}"


def test_sending_in_place_leaves_a_fresh_form(bobs: Client, path: str) -> None:
    answer = bobs.post(f"{path}/send", {"content": "Yes."}, headers=IN_PLACE)
    assert answer.headers["HX-Trigger-After-Settle"] == "parley:sent"
    page = parse(answer.content)
    assert page.ids("composer") == ["composer"]
    assert "Yes." not in page.text


def test_a_form_sends_what_it_holds_once(bobs: Client, path: str) -> None:
    names = [
        field["value"]
        for _ in range(2)
        for field in parse(bobs.get(path).content).all("input")
        if field.get("name") == "form"
    ]
    assert names[0] != names[1]
    for form in (names[0], names[0], names[1]):
        bobs.post(f"{path}/send", {"content": "Yes.", "form": form})
    bobs.post(f"{path}/send", {"content": "Yes, at four.", "form": names[0]})
    sent = Message.objects.filter(sequence__gt=1).order_by("sequence")
    contents = [message.content for message in sent]
    assert contents == ["Yes.", "Yes.", "Yes, at four."]


def test_a_reply_names_what_it_answers(
    bobs: Client, path: str, message: Message
) -> None:
    asked = parse(bobs.get(f"{path}?reply={message.pk}").content)
    assert {"type": "hidden", "name": "parent", "value": str(message.pk)} in asked.all(
        "input"
    )
    bobs.post(f"{path}/send", {"content": "Yes.", "parent": message.pk})
    assert Message.objects.get(content="Yes.").parent_message == message
    page = parse(bobs.get(path).content)
    assert {
        "href": f"/messages/{message.pk}",
        "data-jump": f"m{message.pk}",
    } in page.all("a")
    assert "1 reply" in page.text


def test_a_reply_is_not_to_another_conversations_message(
    bobs: Client, path: str, message: Message, ann: User, bob: User, cleo: User
) -> None:
    elsewhere = Message.objects.create(sender=cleo, receiver=bob, content="elsewhere")
    for address in (f"{path}?reply=", f"{path}/composer?reply="):
        assert bobs.get(f"{address}{message.pk}").status_code == HTTPStatus.OK
        refused = bobs.get(f"{address}{elsewhere.pk}")
        assert refused.status_code == HTTPStatus.NOT_FOUND
        assert b"elsewhere" not in refused.content


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"content": " "}, 422),
        ({"content": "x" * 5001}, 422),
        ({"content": "x", "parent": "99"}, 422),
        ({"content": "x", "parent": "?"}, 422),
        ({}, 422),
    ],
)
def test_a_refusal_is_shown_in_place_and_sends_nothing(
    bobs: Client, path: str, form: dict[str, str], status: int
) -> None:
    answer = bobs.post(f"{path}/send", form, headers=IN_PLACE)
    assert answer.status_code == status
    assert answer.headers["HX-Retarget"] == "#flashes"
    assert b"flash error" in answer.content
    assert bobs.post(f"{path}/send", form).status_code == status
    assert Message.objects.count() == 1


def test_a_block_is_reported_without_naming_the_blocker(
    anns: Client, ann: User, bob: User, path: str
) -> None:
    block(blocker=bob, blocked=ann)
    answer = anns.post(f"{path}/send", {"content": "x"})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "block" not in parse(answer.content).text.lower()


def test_older_messages_are_a_page_further(
    anns: Client, ann: User, bob: User, message: Message, path: str
) -> None:
    for number in range(60):
        Message.objects.create(sender=bob, receiver=ann, content=f"number {number}")
    page = parse(anns.get(f"{path}?end=1").content)
    assert len(page.ids("m")) - len(page.ids("ma") + page.ids("me")) == 50
    (older,) = [link for link in page.all("a") if "cursor=" in link.get("href", "")]
    for address in (older["href"], older["hx-get"]):
        rows = parse(anns.get(address).content)
        assert "Tea at four?" in rows.text
        assert "number 9" in rows.text
        assert "number 10" not in rows.text


def test_a_message_is_shown_in_its_place(
    anns: Client, ann: User, bob: User, message: Message, path: str
) -> None:
    for number in range(60):
        Message.objects.create(sender=bob, receiver=ann, content=f"number {number}")
    there = anns.get(f"/messages/{message.pk}")
    assert there.headers["Location"] == f"{path}?around={message.pk}#m{message.pk}"
    page = parse(anns.get(f"{path}?around={message.pk}").content)
    assert "Tea at four?" in page.text
    assert "number 59" not in page.text
    (newer,) = [link for link in page.all("a") if "after=" in link.get("href", "")]
    assert "number 59" in parse(anns.get(newer["hx-get"]).content).text


@pytest.mark.parametrize("place", ["around", "reply"])
def test_a_link_to_a_deleted_message_redirects_to_the_conversation(
    anns: Client, cleos: Client, ann: User, message: Message, path: str, place: str
) -> None:
    link = f"{path}?{place}={message.pk}"
    delete_message(message=own_of(ann, message))
    answer = anns.get(link)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    page = parse(answer.content)
    assert "There is no such message." in page.text
    assert path in [each.get("href") for each in page.all("a")]
    theirs = parse(cleos.get(link).content)
    assert path not in [each.get("href") for each in theirs.all("a")]


@pytest.mark.parametrize(
    "query", ["cursor=x", "around=x", "around=1&after=1", "after=-1", "after="]
)
def test_an_invalid_position_is_refused(anns: Client, path: str, query: str) -> None:
    for address in (f"{path}?{query}", f"{path}/messages?{query}"):
        answer = anns.get(address)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "X-Cache" not in answer.headers


def test_days_have_headings_and_names_are_not_repeated(
    anns: Client, ann: User, bob: User
) -> None:
    noon, conversation = datetime(2026, 3, 14, 12, tzinfo=UTC), 0
    for minutes in (0, 1, 7, 60 * 24):
        conversation = Message.objects.create(
            sender=ann,
            receiver=bob,
            content="x",
            timestamp=noon + timedelta(minutes=minutes),
        ).conversation_id
    rows = parse(anns.get(f"/conversations/{conversation}/messages").content)
    kinds = [
        row["class"]
        for row in rows.all("li")
        if "data-id" in row or row.get("class") == "day"
    ]
    assert kinds == [
        *("day", "message", "message continued", "message"),
        *("day", "message"),
    ]
    assert "Saturday, 14 March 2026" in rows.text


@pytest.mark.parametrize(
    ("minutes", "kinds"),
    [
        # Back by five hours, by a day, and by nothing.
        ((300, 0, 1), ["day", "message", "message", "message continued"]),
        ((60 * 24, 60 * 24 - 1, 0), ["day", "message", "message", "day", "message"]),
        ((0, 0), ["day", "message", "message continued"]),
        # Over midnight.
        ((719, 721), ["day", "message", "day", "message"]),
    ],
)
def test_times_that_go_back_are_under_headings_of_their_own(
    anns: Client, ann: User, bob: User, minutes: tuple[int, ...], kinds: list[str]
) -> None:
    noon, conversation = datetime(2026, 3, 14, 12, tzinfo=UTC), 0
    for minute in minutes:
        conversation = Message.objects.create(
            sender=ann,
            receiver=bob,
            content="x",
            timestamp=noon + timedelta(minutes=minute),
        ).conversation_id
    rows = parse(anns.get(f"/conversations/{conversation}/messages").content)
    assert kinds == [
        row["class"]
        for row in rows.all("li")
        if "data-id" in row or row.get("class") == "day"
    ]


def test_a_message_of_the_future_does_not_keep_its_conversation_on_top(
    anns: Client, ann: User, bob: User, cleo: User
) -> None:
    far = datetime(2099, 1, 1, tzinfo=UTC)
    first = Message.objects.create(
        sender=ann, receiver=bob, content="then", timestamp=far
    )
    Message.objects.create(sender=ann, receiver=cleo, content="now")
    rows = parse(anns.get("/conversations").content).text
    assert rows.index("Cleo") < rows.index("Bob")
    conversation = first.conversation
    assert conversation is not None
    # As one was left by an earlier version.
    overwrite(Conversation.objects.filter(pk=conversation.pk), last_activity_at=far)
    Message.objects.create(sender=bob, receiver=ann, content="and on")
    Message.objects.create(sender=ann, receiver=cleo, content="now")
    rows = parse(anns.get("/conversations").content).text
    assert rows.index("Cleo") < rows.index("Bob")


def test_a_group_has_its_title(bobs: Client, group: Conversation) -> None:
    page = parse(bobs.get(f"/conversations/{group.pk}").content)
    assert "Crew · Parley" in page.text
    assert "2 people" in page.text
    assert "Nothing here yet." in page.text


def test_what_a_page_costs_does_not_grow(anns: Client, ann: User, bob: User) -> None:
    costs = set()
    parent = None
    for size in (3, 40):
        for number in range(size):
            parent = Message.objects.create(
                sender=bob, receiver=ann, content=f"{number}", parent_message=parent
            )
        assert parent is not None
        anns.get("/conversations")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            anns.get(f"/conversations/{parent.conversation_id}")
        costs.add(len(queries))
    assert costs == {8}


def test_the_other_of_a_conversation_is_named(
    bobs: Client, ann: User, path: str
) -> None:
    rows = parse(bobs.get("/conversations").content)
    assert "Ann" in rows.text
    assert "Tea at four?" in rows.text
