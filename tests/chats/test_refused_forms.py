"""Every form that refuses an input shows it again, also without scripts."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from messaging.models import Block, Conversation, Message, MessageHistory, User
from messaging.models.messages import CONTENT_MAX_LENGTH
from messaging.rates import Rate
from messaging.services.messages import delete_message
from messaging.services.participants import remove_participant
from tests.chats.html import Page, parse
from tests.conftest import PASSWORD
from tests.proofs import own_of, owned_by

TEXT: Final = "  two lines,\n\tand <b>more</b> & more é"


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the pages, with what is typed into it."""

    path: str
    typed: Mapping[str, str]
    others: Mapping[str, str]
    # Something that the domain refuses, if anything is.
    refused: str | None = None

    @property
    def posted(self) -> dict[str, str]:
        return {**self.typed, **self.others}


FORMS: Final = {
    "message": Form(
        "/conversations/{group}/send",
        {"content": TEXT},
        {"form": "a"},
        "x" * 5001,
    ),
    "reply": Form(
        "/conversations/{group}/send",
        {"content": TEXT},
        {"form": "a", "parent": "{message}"},
        "\u200b\u200b",
    ),
    "catch_up": Form(
        "/catch-up/{group}/reply", {"content": TEXT}, {"form": "a"}, "x" * 5001
    ),
    "edit": Form(
        "/messages/{message}/edit", {"content": TEXT}, {"version": "1"}, "x" * 5001
    ),
    "direct": Form(
        "/conversations/new",
        {"participant": "nobody-here"},
        {"kind": "direct"},
        "nobody-here",
    ),
    "group": Form(
        "/conversations/new",
        {"title": "A new one", "participants": "bob, cleo"},
        {"kind": "group", "form": "b"},
        "x" * 201,
    ),
    "title": Form("/conversations/{group}/title", {"title": "Another"}, {}, "x" * 201),
    "add": Form("/conversations/{group}/people", {"username": "dora"}, {}, "dora"),
    "profile": Form("/settings", {"display_name": "Ann Other"}, {}, "x" * 101),
    "token": Form(
        "/settings/tokens",
        {"name": "my script"},
        {"days": "30", "password": PASSWORD},
        "a\u202eb",
    ),
}
SIGN_IN_FORMS: Final = {
    "sign up": Form(
        "/sign-up",
        {"username": "new one", "display_name": "New One"},
        {"password": PASSWORD},
        "new one",
    ),
    "sign in": Form("/sign-in", {"username": "annie"}, {"password": "wrong"}, "annie"),
}

every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
every_sign_in_form = pytest.mark.parametrize(
    "form", SIGN_IN_FORMS.values(), ids=SIGN_IN_FORMS
)


@pytest.fixture
def places(ann: User, group: Conversation) -> dict[str, int]:
    message = Message.objects.create(sender=ann, conversation=group, content="first")
    return {"group": group.pk, "message": message.pk}


@pytest.fixture
def limits(settings: Settings) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_WRITES = Rate(0, 60)


def _placed(
    form: Form, places: Mapping[str, int], **typed: str
) -> tuple[str, dict[str, str]]:
    posted = {
        name: value.format_map(places) if value.startswith("{") else value
        for name, value in form.posted.items()
    }
    return form.path.format_map(places), {**posted, **typed}


def _fields(page: Page) -> set[str]:
    """What stands in the fields of a page, as a browser shows it."""
    return {each.get("value", "") for each in page.all("input")} | set(page.texts)


def _assert_given_back(body: bytes, typed: Mapping[str, str]) -> Page:
    page = parse(body)
    shown = _fields(page)
    for text in typed.values():
        # A browser drops the first line's end of a text area.
        assert text in shown or f"\n{text}" in shown, (text, shown)
    passwords = [each for each in page.all("input") if each.get("type") == "password"]
    assert not any(each.get("value") for each in passwords)
    assert PASSWORD not in page.source
    return page


@every_form
def test_a_refused_form_has_what_was_typed(
    form: Form, places: dict[str, int], anns: Client
) -> None:
    name = next(iter(form.typed))
    refused = form.refused or ""
    path, posted = _placed(form, places, **{name: refused})
    answer = anns.post(path, posted)
    assert answer.status_code in {404, 422}
    _assert_given_back(answer.content, {**form.typed, name: refused})


@every_sign_in_form
def test_a_refused_sign_in_has_what_was_typed(form: Form, ann: User) -> None:
    answer = Client().post(form.path, form.posted)
    assert answer.status_code in {200, 422}
    _assert_given_back(answer.content, form.typed)


@every_form
def test_too_many_writes_give_the_text_back(
    form: Form, places: dict[str, int], anns: Client, limits: None
) -> None:
    path, posted = _placed(form, places)
    answer = anns.post(path, posted)
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    page = _assert_given_back(answer.content, form.typed)
    again = [each for each in page.all("form") if each.get("action") == path]
    assert bool(again) == ("password" not in posted)


@every_form
def test_a_form_without_its_token_gives_the_text_back(
    form: Form, places: dict[str, int], ann: User
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)
    path, posted = _placed(form, places)
    answer = browser.post(path, posted)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    _assert_given_back(answer.content, form.typed)


@every_sign_in_form
def test_a_sign_in_without_its_token_gives_the_text_back(form: Form, db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post(form.path, form.posted)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    _assert_given_back(answer.content, form.typed)


def test_the_page_for_a_form_without_its_token_sends_it_again(
    places: dict[str, int], ann: User
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)
    path, posted = _placed(FORMS["reply"], places)
    page = parse(browser.post(path, posted).content)
    given = {
        each["name"]: each.get("value", "")
        for each in page.all("input")
        if "name" in each
    }
    answer = browser.post(path, {**given, "content": TEXT})
    assert answer.status_code == HTTPStatus.FOUND
    sent = Message.objects.get(parent_message=places["message"])
    assert sent.content == TEXT


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
    ],
)
def test_what_another_site_typed_is_not_shown(
    headers: dict[str, str], places: dict[str, int], ann: User
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)
    path, posted = _placed(FORMS["message"], places)
    answer = browser.post(path, posted, headers=headers)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert b"two lines" not in answer.content


@every_form
def test_who_is_signed_out_has_their_text(
    form: Form, places: dict[str, int], db: None
) -> None:
    path, posted = _placed(form, places)
    answer = Client().post(path, posted)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert answer.headers["Cache-Control"] == "private, no-store"
    page = _assert_given_back(answer.content, form.typed)
    assert "/sign-in" in [each["href"] for each in page.all("a")]


@every_form
def test_a_database_that_is_away_gives_the_text_back(
    form: Form, places: dict[str, int], anns: Client
) -> None:
    path, posted = _placed(form, places)
    anns.raise_request_exception = False

    def away(*_: object) -> object:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(away):
        answer = anns.post(path, posted)
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    shown = _fields(parse(answer.content))
    for text in form.typed.values():
        assert f"\n{text}" in shown


def test_no_form_holds_more_than_a_body_may(
    anns: Client, message: Message, settings: Settings
) -> None:
    """Each character of a text area is nine bytes at most, as browsers send them."""
    pages = (
        f"/conversations/{message.conversation_id}",
        f"/messages/{message.pk}/edit",
    )
    for path in pages:
        for area in parse(anns.get(path).content).all("textarea"):
            most = int(area["maxlength"])
            # More than may be sent, even if two units are a character: what is cut
            # off is refused, and given back.
            assert most > 2 * CONTENT_MAX_LENGTH
            assert most * len("%E4%BD%A0") < settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 2


def test_a_body_that_is_too_large_is_reported(anns: Client, message: Message) -> None:
    path = f"/conversations/{message.conversation_id}/send"
    answer = anns.post(path, {"content": "x" * 300_000})
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert "too long" in parse(answer.content).text


def test_a_message_to_who_blocked_its_sender_comes_back(
    anns: Client, ann: User, bob: User, message: Message
) -> None:
    Block.objects.create(blocker=bob, blocked=ann)
    path = f"/conversations/{message.conversation_id}/send"
    answer = anns.post(path, {"content": TEXT})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    page = _assert_given_back(answer.content, {"content": TEXT})
    assert "This cannot be delivered." in page.text


def test_a_reply_to_what_was_deleted_comes_back_and_is_no_reply(
    anns: Client, ann: User, bob: User, message: Message
) -> None:
    Message.objects.create(sender=bob, content="kept", parent_message=message)
    delete_message(message=own_of(ann, message))
    path = f"/conversations/{message.conversation_id}/send"
    answer = anns.post(path, {"content": TEXT, "parent": message.pk})
    assert answer.status_code == HTTPStatus.CONFLICT
    page = _assert_given_back(answer.content, {"content": TEXT})
    assert "parent" not in {each.get("name") for each in page.all("input")}
    assert Message.objects.filter(content=TEXT).count() == 0


def test_a_message_to_a_group_that_put_its_sender_out_comes_back(
    bobs: Client, ann: User, group: Conversation
) -> None:
    remove_participant(membership=owned_by(ann, group), username="bob")
    answer = bobs.post(f"/conversations/{group.pk}/send", {"content": TEXT})
    assert answer.status_code == HTTPStatus.NOT_FOUND
    page = _assert_given_back(answer.content, {"content": TEXT})
    assert "Send it again" not in page.text


def test_an_edit_of_what_was_deleted_comes_back(
    anns: Client, ann: User, message: Message
) -> None:
    path = f"/messages/{message.pk}/edit"
    delete_message(message=own_of(ann, message))
    answer = anns.post(path, {"content": TEXT, "version": "1"})
    assert answer.status_code == HTTPStatus.NOT_FOUND
    _assert_given_back(answer.content, {"content": TEXT})


@pytest.mark.parametrize("page", ["/conversations", "/people"])
def test_a_search_has_what_was_typed(page: str, anns: Client) -> None:
    _assert_given_back(anns.get(page, {"q": "nobody"}).content, {"q": "nobody"})


def test_a_browsers_ends_of_lines_are_no_edit(
    anns: Client, bob: User, ann: User
) -> None:
    """A browser sends every end of a line as CR and LF."""
    message = Message.objects.create(
        sender=ann, receiver=bob, content="    if x:\n        y\n\nz"
    )
    path = f"/messages/{message.pk}/edit"
    [shown] = [text for text in parse(anns.get(path).content).texts if "if x" in text]
    # It drops the first one of a text area.
    typed = shown.removeprefix("\n").replace("\n", "\r\n")
    anns.post(path, {"content": typed, "version": "1"})
    message.refresh_from_db()
    assert (message.content, message.edited) == ("    if x:\n        y\n\nz", False)
    assert not MessageHistory.objects.exists()


def test_a_browsers_ends_of_lines_are_one_character(
    anns: Client, message: Message
) -> None:
    text = "x\n" * 2499 + "x"
    path = f"/conversations/{message.conversation_id}/send"
    answer = anns.post(path, {"content": text.replace("\n", "\r\n")})
    assert answer.status_code == HTTPStatus.FOUND
    assert Message.objects.filter(content=text).exists()


def test_what_an_earlier_version_kept_is_no_edit(
    anns: Client, message: Message
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_message SET content = %s", ["a\r\nb\rc"])
    path = f"/messages/{message.pk}/edit"
    answer = anns.post(path, {"content": "a\r\nb\r\nc", "version": "1"})
    assert answer.status_code == HTTPStatus.FOUND
    message.refresh_from_db()
    assert (message.content, message.edited) == ("a\r\nb\rc", False)


def test_signed_in_again_the_text_is_sent(places: dict[str, int], ann: User) -> None:
    """As the page says: in another tab, then the button."""
    browser = Client(enforce_csrf_checks=True)
    path, posted = _placed(FORMS["message"], places)
    token = parse(browser.get("/sign-in").content)
    posted["csrfmiddlewaretoken"] = _token(token)
    out = browser.post(path, posted)
    assert b"You are signed out" in out.content
    browser.post(
        "/sign-in",
        {
            "username": "ann",
            "password": PASSWORD,
            "csrfmiddlewaretoken": _token(parse(browser.get("/sign-in").content)),
        },
    )
    # The token of the first page is of before: once more, with the page's new one.
    old = browser.post(
        path, {**posted, "csrfmiddlewaretoken": _token(parse(out.content))}
    )
    assert old.status_code == HTTPStatus.FORBIDDEN
    new = _token(parse(old.content))
    assert browser.post(path, {**posted, "csrfmiddlewaretoken": new}).status_code == 302
    assert Message.objects.filter(content=TEXT).exists()


def _token(page: Page) -> str:
    return next(
        each["value"]
        for each in page.all("input")
        if each.get("name") == "csrfmiddlewaretoken"
    )
