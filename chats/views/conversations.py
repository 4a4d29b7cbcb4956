"""The list of a user's conversations, and the page of a conversation.

The messages of a page are one fragment, which is the same for all participants, and
cached like the API's list. Everything that differs between participants is around it.
"""

from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import urlencode

from django.contrib import messages as flashes
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from chats.composers import composer_context, thread_id_of
from chats.decorators import PageRequest, in_place, reader_of, signed_in
from chats.errors import set_error_status
from chats.idempotency import run_once
from chats.ids import parse_message_id, parse_ranges, parse_sequence
from chats.message_list import message_list, place_of
from chats.templating.paths import path
from chats.views.threads import refused_in_thread
from edge.page_cache import MAX_BYTES, cached, respond
from edge.pieces import Piece, PiecedResponse, compressed_piece, pieces_of
from messaging import access
from messaging.access import Membership, ReadableMessage
from messaging.conversation_memory import ConversationMemory, may_keep
from messaging.errors import (
    ConflictError,
    DomainError,
    InvalidError,
    MessageNotFoundError,
    NotDeliverableError,
    UnknownParentError,
)
from messaging.ids import ConversationId, UserId
from messaging.ids import Sequence as MessageSequence
from messaging.namesakes import Named, namesakes
from messaging.sequence_ranges import SequenceRange
from messaging.services import notifications, summaries
from messaging.services.conversations import PageVersion, page_version
from messaging.services.messages import send_message
from messaging.services.notifications import FirstUnread
from messaging.services.presence import presence_of

_PAGE: Final = 30
# Those that are asked for most, without a look-up in the cache and a copy of what it has.
_rows: Final = ConversationMemory[tuple[PageVersion, str], Sequence[Piece]](most=200)
# Where the rows go. Users' text is escaped, so that it cannot look like this.
_ROWS_PLACE: Final = b"<!--rows-->"


@signed_in
@require_safe
def conversation_list(request: PageRequest) -> HttpResponse:
    """A user's conversations, the most recently active first; `q` searches titles and names."""
    wanted = request.GET.get("q", "").strip()
    page = summaries.conversation_page(
        reader=reader_of(request),
        cursor=request.GET.get("cursor"),
        limit=_PAGE,
        matching=wanted or None,
    )
    lasts = [each.last_message for each in page.items if each.last_message]
    shown: list[Named | None] = [each.participant for each in page.items]
    shown += [last.sender for last in lasts]
    others = [each.participant.id for each in page.items if each.participant]
    context = {
        "page": page,
        "wanted": wanted,
        "namesakes": namesakes(shown),
        "online": _online(others, reader_of(request)),
    }
    return render(request, "chats/conversations.html", context)


def _online(people: Collection[UserId], reader: UserId) -> frozenset[int]:
    if not people:
        return frozenset()
    seen = presence_of(people, reader=reader)
    return frozenset(person for person, each in seen.items() if each.online)


@signed_in
@require_safe
def conversation(request: PageRequest, conversation_id: int) -> HttpResponse:
    """The newest messages, or those at the place that the query names."""
    membership, page = _opened(request, conversation_id)
    try:
        return _conversation_page(
            request,
            membership,
            page,
            query=request.GET,
            composer=composer_context(request, membership, request.GET),
        )
    except MessageNotFoundError as error:
        return _message_gone(request, membership, error)


def _message_gone(
    request: PageRequest, membership: Membership, error: MessageNotFoundError
) -> HttpResponse:
    """An error page for a link to a deleted message; the reader can still open the
    conversation.
    """
    context = {
        "refusal": error,
        "unsent": None,
        "conversation_id": membership.conversation_id,
    }
    return set_error_status(render(request, "chats/error_page.html", context), error)


def _conversation_page(
    request: PageRequest,
    membership: Membership,
    page: PageVersion,
    *,
    query: QueryDict,
    composer: dict[str, object],
) -> HttpResponse:
    place = place_of(query)
    shown = _cached_rows(request, page, place)
    # The cache answered with an error instead of rows.
    if shown.status_code != HttpResponse.status_code:
        return shown
    unread = notifications.first_unread(membership=membership)
    opens_at = _opens_at(query)
    if opens_at == "unread" and unread and not _holds(shown, unread):
        shown, place = _rows_around(request, page, unread, newest=shown)
    around_rows = render(
        request,
        "chats/conversation.html",
        {
            "summary": summaries.conversation_summary(
                membership=membership, last_message=False
            ),
            "first_unread": unread,
            "opens_at": opens_at,
            "is_end": not place,
            # A page of older messages, which leads to no newer ones.
            "ends_early": "cursor" in place,
            **composer,
        },
    )
    before, _, after = around_rows.content.partition(_ROWS_PLACE)
    response = PiecedResponse(
        Piece(before), *_with_unread_line(shown, unread), Piece(after)
    )
    # The metrics count hits by this header.
    response["X-Cache"] = shown["X-Cache"]
    return response


@signed_in
@require_safe
def message_rows(request: PageRequest, conversation_id: int) -> HttpResponseBase:
    """Rows of a conversation's messages, for scripts that insert them into the page."""
    page = page_version(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )
    known = request.META.get("HTTP_IF_NONE_MATCH", "")
    return _cached_rows(request, page, place_of(request.GET), known=known)


@cached
def shared_rows(request: HttpRequest, conversation_id: ConversationId) -> HttpResponse:
    """The cached view. It must not depend on the user: all participants share its entries."""
    shown = message_list(conversation_id=conversation_id, query=request.GET)
    rows = render_to_string("chats/message_rows.html", {"message_list": shown})
    return PiecedResponse(compressed_piece(rows.encode()))


@signed_in
@require_safe
def composer(request: PageRequest, conversation_id: int) -> HttpResponse:
    """The form for a new message; for a reply, if the query names a message."""
    membership = _membership(request, conversation_id)
    context = composer_context(request, membership, request.GET)
    context["thread_id"] = thread_id_of(request.GET)
    return render(request, "chats/composer.html", context)


@signed_in
@require_POST
def send(request: PageRequest, conversation_id: int) -> HttpResponse:
    membership = _membership(request, conversation_id)
    content = request.POST.get("content", "")
    parent_id = parse_message_id(request.POST.get("parent"))
    try:
        sent = run_once(
            user_id=reader_of(request),
            form=request.POST.get("form", ""),
            holds=(conversation_id, parent_id, content),
            do=lambda: (
                send_message(
                    membership=membership, content=content, parent_id=parent_id
                ).id
            ),
        )
    except (InvalidError, ConflictError, NotDeliverableError) as error:
        if in_place(request):
            raise
        return _refused_composer(request, membership, error)
    if in_place(request):
        fresh = composer_context(request, membership, QueryDict())
        response = render(request, "chats/composer.html", fresh)
        response["HX-Trigger-After-Settle"] = "parley:sent"
        # What follows in a thread answers it: see outbox.js.
        response["Parley-Message"] = str(sent)
        return response
    if thread_id_of(request.POST):
        return redirect("thread", sent)
    page = reverse("conversation", args=[conversation_id])
    return redirect(f"{page}?end=1#m{sent}")


@signed_in
@require_POST
def read_conversation(request: PageRequest, conversation_id: int) -> HttpResponse:
    """Mark read what was on the screen (`range`), all up to a message (`up_to`), or both."""
    membership = _membership(request, conversation_id)
    ranges = parse_ranges(request.POST.getlist("range"))
    if not ranges or "up_to" in request.POST:
        up_to = parse_sequence(request.POST.get("up_to"))
        ranges.append(SequenceRange(MessageSequence(0), up_to))
    notifications.mark_ranges_read(membership=membership, ranges=ranges)
    if in_place(request):
        return render(request, "chats/unread_count.html")
    flashes.success(request, "Marked as read.")
    return redirect("conversation", conversation_id)


def _refused_composer(
    request: PageRequest, membership: Membership, error: DomainError
) -> HttpResponse:
    """The page with its composer, which has the refused text and the reason."""
    if root := _thread_of(request, membership):
        return refused_in_thread(request, root, error)
    _, page = _opened(request, membership.conversation_id)
    reply = QueryDict(mutable=True)
    # Drop the reply if the parent was the reason.
    if not isinstance(error, ConflictError | UnknownParentError):
        reply["reply"] = request.POST.get("parent", "")
    composer = composer_context(request, membership, reply) | {
        "content": request.POST.get("content", ""),
        "refusal": error,
    }
    shown = _conversation_page(
        request, membership, page, query=QueryDict("end=1"), composer=composer
    )
    return set_error_status(shown, error)


def _thread_of(request: PageRequest, membership: Membership) -> ReadableMessage | None:
    """The root of the thread from which it was sent; None in the conversation itself."""
    root = thread_id_of(request.POST)
    if root is None:
        return None
    try:
        found = access.readable_message(reader=reader_of(request), message_id=root)
    except MessageNotFoundError:
        return None
    is_here = found.conversation_id == membership.conversation_id
    return found if is_here else None


def _opened(
    request: PageRequest, conversation_id: int
) -> tuple[Membership, PageVersion]:
    """The membership, and the version of the page.

    The version is read before the data, so that no page is cached under a newer version
    than its data's.
    """
    page = page_version(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )
    return _membership(request, conversation_id), page


def _membership(request: PageRequest, conversation_id: int) -> Membership:
    return access.membership(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )


def _cached_rows(
    request: PageRequest, page: PageVersion, place: dict[str, str], *, known: str = ""
) -> HttpResponse:
    """The rows of a place; pages and scripts share the cache entry.

    It makes a new request for the cache, so that no other parameter or header becomes
    part of the key. `known` is the value of If-None-Match.
    """
    asked = HttpRequest()
    asked.method = "GET"
    asked.GET = QueryDict(urlencode(place))
    asked.path = asked.path_info = path("message_rows", page.conversation_id)
    asked.META = {
        name: value
        for name, value in request.META.items()
        if name.startswith(("SERVER_", "wsgi.")) or name == "HTTP_HOST"
    } | {"QUERY_STRING": urlencode(place), "HTTP_IF_NONE_MATCH": known}
    key = (page, asked.META["QUERY_STRING"])
    shown = respond(asked, page, lambda: _known_rows(asked, key))
    if not isinstance(shown, HttpResponse):
        raise TypeError("Cached rows are never streamed.")
    return shown


def _known_rows(asked: HttpRequest, key: tuple[PageVersion, str]) -> HttpResponseBase:
    """The rows, which this process still has at hand, or the cache."""
    if (known := _rows.get(key)) is not None:
        return PiecedResponse(*known)
    page, _ = key
    shown = shared_rows(asked, page.conversation_id)
    if not isinstance(shown, PiecedResponse) or len(shown.content) > MAX_BYTES:
        return shown
    if may_keep():
        _rows.keep(key, shown.pieces, page.conversation_id)
    return shown


def _opens_at(query: QueryDict) -> str:
    """Where a page opens: at the place that its address names, its end, or the first unread."""
    if place_of(query):
        return "place"
    return "end" if "end" in query else "unread"


def _rows_around(
    request: PageRequest,
    page: PageVersion,
    unread: FirstUnread,
    *,
    newest: HttpResponse,
) -> tuple[HttpResponse, dict[str, str]]:
    """The rows around the first unread message; the newest if it was deleted just now."""
    place = {"around": str(unread.message_id)}
    try:
        return _cached_rows(request, page, place), place
    except MessageNotFoundError:
        return newest, {}


def _holds(rows: HttpResponse, unread: FirstUnread) -> bool:
    return _row_start(unread) in rows.content


def _row_start(unread: FirstUnread) -> bytes:
    """Users' text is escaped, so that it cannot look like the beginning of a row."""
    return f'<li id="m{unread.message_id}"'.encode()


def _with_unread_line(
    rows: HttpResponse, unread: FirstUnread | None
) -> Sequence[Piece]:
    """The rows, with a line above the first message that the reader has not read."""
    if unread is None or not _holds(rows, unread):
        return pieces_of(rows)
    before, start, after = rows.content.partition(_row_start(unread))
    line = render_to_string("chats/unread_line.html").encode()
    return (Piece(b"".join((before, line, start, after))),)
