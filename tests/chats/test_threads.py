"""Threads: what is indented, what the composer answers, and what is unread where."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from typing_extensions import override

from chats.views import threads
from messaging.ids import UserId
from messaging.models import Message, User
from messaging.services.messages import delete_message
from messaging.services.notifications import mark_message_read
from tests.chats.html import Attributes, parse
from tests.proofs import own_of, received_by


@pytest.fixture
def root(ann: User, bob: User) -> Message:
    return Message.objects.create(sender=ann, receiver=bob, content="Tea at four?")


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_PAGE", 4)


def reply_to(message: Message, sender: User, content: str = "x") -> Message:
    return Message.objects.create(
        sender=sender, content=content, parent_message=message
    )


def chain(start: Message, sender: User, length: int) -> list[Message]:
    """Replies, each to the one before."""
    messages = [start]
    for _ in range(length):
        messages.append(reply_to(messages[-1], sender))
    return messages[1:]


def path_of(message: Message, query: str = "") -> str:
    return f"/messages/{message.pk}/thread{query}"


@dataclass
class Thread(HTMLParser):
    """A page of a thread: how far each reply is indented, and what is said of its branch."""

    source: str
    indents: dict[int, int] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)
    lists: list[Attributes] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        if tag == "li":
            self.lists.append(given)
        if "message" in classes and len(self.lists) > 0:
            branches = [each for each in self.lists if "branch" in each["class"]]
            number = int(given["data-id"])
            self.indents[number] = len(branches)
            named = [each["data-answer"] for each in branches if "data-answer" in each]
            self.answers[number] = named[-1] if named else ""

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "li":
            self.lists.pop()

    def indents_of(self, messages: Sequence[Message]) -> list[int]:
        return [self.indents[message.pk] for message in messages]


def read(client: Client, path: str) -> Thread:
    answer = client.get(path)
    assert answer.status_code == HTTPStatus.OK
    return Thread(answer.content.decode())


def parent_of_composer(client: Client, path: str) -> int:
    inputs = parse(client.get(path).content).all("input")
    (parent,) = (each["value"] for each in inputs if each.get("name") == "parent")
    return int(parent)


def next_of(content: bytes) -> str | None:
    links = [each["href"] for each in parse(content).all("a")]
    return next((each for each in links if "cursor=" in each), None)


def test_a_run_without_a_fork_is_flat(anns: Client, bob: User, root: Message) -> None:
    run = chain(root, bob, 103)
    assert read(anns, path_of(root)).indents_of(run) == [0] * 103


def test_where_it_forks_all_but_the_last_reply_are_indented(
    anns: Client, ann: User, bob: User, root: Message
) -> None:
    first = [reply_to(root, bob)]
    first += chain(first[0], ann, 2)
    aside = reply_to(first[0], bob)
    last = [reply_to(root, bob)]
    last += chain(last[0], ann, 2)
    page = read(anns, path_of(root))
    assert page.indents_of(first) == [1, 2, 2]
    assert page.indents_of([aside]) == [1]
    assert page.indents_of(last) == [0, 0, 0]


def test_a_thread_is_in_reading_order_and_well_formed(
    anns: Client, ann: User, bob: User, root: Message
) -> None:
    order = [root]
    for first in [reply_to(root, bob) for _ in range(3)]:
        order.append(first)
        for _ in range(2):
            order.append(reply_to(first, ann))
            order.append(reply_to(order[-1], bob))
    source = anns.get(path_of(root)).content.decode()
    assert [*Thread(source).indents] == [each.pk for each in order]
    for tag in ("ol", "li", "details", "div", "p"):
        opened = source.count(f"<{tag}>") + source.count(f"<{tag} ")
        assert opened == source.count(f"</{tag}>")


def test_a_branch_is_indented_at_most_eight_times(
    anns: Client, bob: User, root: Message
) -> None:
    run = chain(root, bob, 12)
    for message in [root, *run[:-1]]:
        reply_to(message, bob)
    page = read(anns, path_of(root))
    assert page.indents_of(run) == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8]


def test_pages_show_a_thread_as_one_page_does(
    anns: Client, bob: User, root: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = chain(root, bob, 6)
    for message in (root, run[0], run[3]):
        chain(message, bob, 3)
    whole = read(anns, path_of(root)).indents
    monkeypatch.setattr(threads, "_PAGE", 4)
    found: dict[int, int] = {}
    path: str | None = path_of(root)
    pages = 0
    while path is not None:
        content = anns.get(path).content
        found |= Thread(content.decode()).indents
        path = next_of(content)
        pages += 1
    assert pages == 4
    assert [*found.items()] == [*whole.items()]


def test_a_page_at_a_message_is_indented_as_the_whole(
    anns: Client, bob: User, root: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = chain(root, bob, 6)
    for message in (root, run[0], run[3]):
        chain(message, bob, 3)
    whole = read(anns, path_of(root)).indents
    monkeypatch.setattr(threads, "_PAGE", 4)
    for message in run:
        shown = read(anns, path_of(root, f"?at={message.pk}")).indents
        assert shown[message.pk] == whole[message.pk]
        assert shown.items() <= whole.items()


@pytest.mark.usefixtures("small_pages")
def test_what_is_no_place_of_the_thread_is_refused(
    anns: Client, ann: User, bob: User, root: Message
) -> None:
    run = chain(root, bob, 6)
    other = Message.objects.create(sender=ann, receiver=bob, content="Another.")
    cursor = (next_of(anns.get(path_of(root)).content) or "").partition("?")[2]
    for query, status in (
        (f"?at={other.pk}", HTTPStatus.NOT_FOUND),
        ("?at=999999", HTTPStatus.NOT_FOUND),
        ("?at=x", HTTPStatus.UNPROCESSABLE_ENTITY),
        ("?cursor=x", HTTPStatus.UNPROCESSABLE_ENTITY),
    ):
        assert anns.get(path_of(root, query)).status_code == status
    assert anns.get(path_of(root, f"?{cursor}")).status_code == HTTPStatus.OK
    # A cursor is of one thread.
    elsewhere = anns.get(path_of(run[0], f"?{cursor}"))
    assert elsewhere.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_the_thread_of_a_reply_is_that_of_its_root(
    anns: Client, bob: User, root: Message
) -> None:
    last = chain(root, bob, 3)[-1]
    answer = anns.get(path_of(last))
    assert answer.status_code == HTTPStatus.FOUND
    place = f"{path_of(root)}?at={last.pk}#m{last.pk}"
    assert answer.headers["Location"] == place
    page = parse(anns.get(place).content)
    assert f"m{root.pk}" in page.ids("m")
    links = [each["href"] for each in page.all("a")]
    assert f"/conversations/{root.conversation_id}" in links


def test_the_composer_answers_the_end_of_the_branch_one_looks_at(
    anns: Client, ann: User, bob: User, root: Message
) -> None:
    first = [reply_to(root, bob)]
    first += chain(first[0], ann, 2)
    last = [reply_to(root, bob)]
    last += chain(last[0], ann, 2)
    assert parent_of_composer(anns, path_of(root)) == last[-1].pk
    for message in first:
        at = path_of(root, f"?at={message.pk}")
        assert parent_of_composer(anns, at) == first[-1].pk
        assert read(anns, at).answers[message.pk] == str(first[-1].pk)
    chosen = path_of(root, f"?reply={last[0].pk}")
    assert parent_of_composer(anns, chosen) == last[0].pk


def test_the_composer_answers_no_tombstone(
    anns: Client, ann: User, bob: User, root: Message
) -> None:
    assert parent_of_composer(anns, path_of(root)) == root.pk
    reply = reply_to(root, bob)
    aside = reply_to(reply, bob)
    reply_to(reply, bob)
    delete_message(message=own_of(ann, root))
    delete_message(message=own_of(bob, reply))
    answered = parent_of_composer(anns, path_of(root, f"?at={aside.pk}"))
    assert answered == aside.pk


def test_what_is_sent_in_a_thread_is_shown_in_it(
    anns: Client, bob: User, root: Message
) -> None:
    reply = reply_to(root, bob)
    send = f"/conversations/{root.conversation_id}/send"
    form = {"parent": reply.pk, "thread": root.pk, "content": "Yes.", "form": "a"}
    sent = anns.post(send, form, follow=True)
    message = Message.objects.get(content="Yes.")
    assert message.parent_message_id == reply.pk
    assert (
        sent.redirect_chain[-1][0] == f"{path_of(root)}?at={message.pk}#m{message.pk}"
    )
    in_place = anns.post(send, form | {"form": "b"}, headers={"HX-Request": "true"})
    assert in_place.headers["Parley-Message"] == str(
        Message.objects.latest("sequence").pk
    )


def test_what_is_refused_in_a_thread_stays_in_its_composer(
    anns: Client, bob: User, root: Message
) -> None:
    reply = reply_to(root, bob)
    reply_to(root, bob)
    words = "too long " * 1000
    answer = anns.post(
        f"/conversations/{root.conversation_id}/send",
        {"parent": reply.pk, "thread": root.pk, "content": words, "form": "a"},
    )
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = parse(answer.content)
    assert words.strip() in page.text
    assert f"m{root.pk}" in page.ids("m")
    (parent,) = (e["value"] for e in page.all("input") if e.get("name") == "parent")
    assert parent == str(reply.pk)


def test_unread_is_counted_by_branch(
    anns: Client, ann: User, bob: User, root: Message
) -> None:
    first = [reply_to(root, bob)]
    first += chain(first[0], bob, 3)
    second = [reply_to(root, bob)]
    second += chain(second[0], bob, 2)
    reply_to(root, bob)
    reader = UserId(ann.pk)
    for message in first[:2]:
        mark_message_read(message=received_by(ann, message), reader=reader)
    content = anns.get(path_of(root)).content
    text = " ".join(parse(content).text.split())
    assert "3 replies 2 unread" in text
    assert "2 replies 2 unread" in text
    assert "6 new" in text
    new = [each["data-id"] for each in parse(content).all("div") if is_new(each)]
    unread = [*first[2:], *second, Message.objects.latest("sequence")]
    assert new == [str(each.pk) for each in unread]


def is_new(element: Attributes) -> bool:
    return "new" in element.get("class", "").split()


@pytest.mark.usefixtures("small_pages")
def test_a_branch_counts_what_is_unread_on_later_pages(
    anns: Client, ann: User, bob: User, root: Message
) -> None:
    first = [reply_to(root, bob)]
    first += chain(first[0], bob, 9)
    reply_to(root, bob)
    # Of another thread of the same conversation.
    Message.objects.create(sender=bob, receiver=ann, content="Another.")
    text = " ".join(parse(anns.get(path_of(root)).content).text.split())
    assert "More replies 9 unread" in text
    assert "11 new" in text


def next_unread(client: Client, path: str) -> str | None:
    links = parse(client.get(path).content).all("a")
    return next((each["href"] for each in links if "data-next-unread" in each), None)


@pytest.mark.usefixtures("small_pages")
def test_the_next_unread_is_the_first_here_or_else_the_oldest_elsewhere(
    anns: Client, ann: User, bob: User, root: Message
) -> None:
    run = chain(root, bob, 8)
    reader = UserId(ann.pk)
    found = []
    for message in run:
        found.append(next_unread(anns, path_of(root)))
        mark_message_read(message=received_by(ann, message), reader=reader)
    assert found == [path_of(message) for message in run]
    assert next_unread(anns, path_of(root)) is None


def test_what_a_thread_costs_does_not_grow(
    anns: Client, ann: User, bob: User, root: Message
) -> None:
    costs = set()
    reply_to(root, bob)
    anns.get(path_of(root))
    for size in (3, 40):
        for message in chain(root, bob, size):
            reply_to(message, ann)
        with CaptureQueriesContext(connection) as queries:
            anns.get(path_of(root))
        costs.add(len(queries))
    assert len(costs) == 1
