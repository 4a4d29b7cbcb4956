"""The list of one's conversations, and a conversation as a page.

Its messages are one part, the same for everyone who reads them, and cached as the
API's page is; all that differs by person stands around it.
"""

from typing import Final
from urllib.parse import urlencode

from django.contrib import messages as flashes
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import cache_page
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from chats.cache import SCOPE_HEADER, respond, shared
from chats.gates import PageRequest, in_place, reader_of, signed_in
from chats.ids import given_id, given_sequence
from chats.once import new_form_name, once
from chats.timeline import place_of, timeline
from messaging import access
from messaging.access import Membership
from messaging.ids import ConversationId, MessageId
from messaging.services import notifications, summaries
from messaging.services.conversations import PageVersion, page_version
from messaging.services.messages import send_message

_PAGE: Final = 30


@signed_in
@require_safe
def conversation_list(request: PageRequest) -> HttpResponse:
    """The most recently active first; `q` finds by title or person."""
    wanted = request.GET.get("q", "").strip()
    page = summaries.conversation_page(
        reader=reader_of(request),
        cursor=request.GET.get("cursor"),
        limit=_PAGE,
        matching=wanted or None,
    )
    return render(request, "chats/conversations.html", {"page": page, "wanted": wanted})


@signed_in
@require_safe
def conversation(request: PageRequest, conversation_id: int) -> HttpResponse:
    """A conversation's end, or the place that the query names."""
    part, page = _opened(request, conversation_id)
    shown = _shared_part(request, page, place_of(request.GET))
    if shown.status_code != HttpResponse.status_code:
        return shown
    unread = notifications.first_unread(membership=part)
    response = render(
        request,
        "chats/conversation.html",
        {
            "summary": summaries.conversation_summary(membership=part),
            "first_unread": unread,
            "rows": _with_new_line(shown.content.decode(), unread),
            "is_end": not place_of(request.GET),
            **_composer(request, part, request.GET),
        },
    )
    response["X-Cache"] = shown["X-Cache"]
    return response


@signed_in
@require_safe
def message_rows(request: PageRequest, conversation_id: int) -> HttpResponseBase:
    """A part of a conversation, for scripts that add to its page."""
    page = page_version(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )
    return respond(request, page, lambda: shared_rows(request, page.conversation_id))


@cache_page(60)
@vary_on_headers(SCOPE_HEADER)
@shared
def shared_rows(request: HttpRequest, conversation_id: ConversationId) -> HttpResponse:
    """Knows nothing of who asks: what it makes is shown to everyone admitted."""
    shown = timeline(conversation_id=conversation_id, query=request.GET)
    return HttpResponse(render_to_string("chats/rows.html", {"timeline": shown}))


@signed_in
@require_safe
def composer(request: PageRequest, conversation_id: int) -> HttpResponse:
    """The form to write with, as a reply to the message that the query names."""
    part, _ = _opened(request, conversation_id)
    return render(request, "chats/composer.html", _composer(request, part, request.GET))


@signed_in
@require_POST
def send(request: PageRequest, conversation_id: int) -> HttpResponse:
    part, _ = _opened(request, conversation_id)
    content = request.POST.get("content", "")
    parent_id = given_id(request.POST.get("parent"))
    sent = once(
        person=reader_of(request),
        form=request.POST.get("form", ""),
        holds=(conversation_id, parent_id, content),
        do=lambda: (
            send_message(membership=part, content=content, parent_id=parent_id).id
        ),
    )
    if in_place(request):
        fresh = _composer(request, part, QueryDict())
        response = render(request, "chats/composer.html", fresh)
        response["HX-Trigger-After-Settle"] = "parley:sent"
        return response
    return redirect(f"{reverse('conversation', args=[conversation_id])}#m{sent}")


@signed_in
@require_POST
def read_conversation(request: PageRequest, conversation_id: int) -> HttpResponse:
    part, _ = _opened(request, conversation_id)
    notifications.mark_conversation_read(
        membership=part, up_to=given_sequence(request.POST.get("up_to"))
    )
    if in_place(request):
        return render(request, "chats/unread_count.html", {"in_place": True})
    flashes.success(request, "Marked as read.")
    return redirect("conversation", conversation_id)


def _opened(
    request: PageRequest, conversation_id: int
) -> tuple[Membership, PageVersion]:
    """The version before anything it names: a page is newer than its name, never older."""
    wanted = ConversationId(conversation_id)
    page = page_version(reader=reader_of(request), conversation_id=wanted)
    part = access.membership(reader=reader_of(request), conversation_id=wanted)
    return part, page


def _shared_part(
    request: PageRequest, page: PageVersion, place: dict[str, str]
) -> HttpResponse:
    """The rows for a page, from the same cache entry as those that scripts ask for."""
    asked = HttpRequest()
    asked.method = "GET"
    asked.GET = QueryDict(urlencode(place))
    asked.path = asked.path_info = reverse("message_rows", args=[page.conversation_id])
    asked.META = {
        name: value
        for name, value in request.META.items()
        if name.startswith(("SERVER_", "wsgi.")) or name == "HTTP_HOST"
    } | {"QUERY_STRING": urlencode(place)}
    shown = respond(asked, page, lambda: shared_rows(asked, page.conversation_id))
    if not isinstance(shown, HttpResponse):
        raise TypeError("The shared part is no stream.")
    return shown


def _with_new_line(rows: str, first_unread: MessageId | None) -> SafeString:
    """Draw a line above the first message that the reader has not read.

    What people typed is escaped: no text can pass for the beginning of a row.
    """
    if first_unread is not None:
        line = render_to_string("chats/new_line.html")
        start = f'<li id="m{first_unread}"'
        rows = rows.replace(start, f"{line}{start}", 1)
    return mark_safe(rows)  # noqa: S308  # made by our own template


def _composer(
    request: PageRequest, part: Membership, query: QueryDict
) -> dict[str, object]:
    replied = given_id(query.get("reply"))
    answered = (
        None
        if replied is None
        else access.readable_message(reader=reader_of(request), message_id=replied)
    )
    if answered and answered.conversation_id != part.conversation_id:
        raise access.message_not_found()
    return {
        "conversation_id": part.conversation_id,
        "answered": answered,
        "form_name": new_form_name(),
    }
