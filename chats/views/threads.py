"""A thread: a message with all its replies, page by page, and a composer that answers them."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from chats.composers import composer_context, thread_composer_context
from chats.decorators import PageRequest, reader_of, signed_in
from chats.errors import set_error_status
from chats.ids import parse_message_id
from chats.thread_steps import ThreadLayout, thread_layout
from messaging import access
from messaging.access import Membership, ReadableMessage
from messaging.errors import ConflictError, DomainError, UnknownParentError
from messaging.ids import ConversationId, MessageId
from messaging.projections import MessageProjection
from messaging.services import message_lists, notifications, summaries
from messaging.services.mentions import mentioned_participants
from messaging.services.participants import namesakes_among
from messaging.services.thread_pages import (
    ThreadPage,
    thread_page,
    thread_page_with,
    thread_root,
)
from messaging.services.thread_unread import ThreadUnread, thread_unread

_PAGE: Final = 200


@signed_in
@require_safe
def thread(request: PageRequest, message_id: int) -> HttpResponse:
    """The thread of a root, from its beginning, a cursor, or the message that `at` names.

    A reply is shown in the thread of its root, to which its address leads. With `at` or
    a cursor it is the root of the page itself: what follows below it alone.
    """
    root = access.readable_message(
        reader=reader_of(request), message_id=MessageId(message_id)
    )
    query = request.GET
    is_placed = "at" in query or "cursor" in query
    if root.parent_message_id is not None and not is_placed:
        return redirect(
            thread_place(thread_root(message=root), message_id=MessageId(root.pk))
        )
    return _thread_page(request, root, query, refused=None)


def thread_place(root: MessageId, *, message_id: MessageId) -> str:
    """The address of a message in its thread."""
    query = urlencode({"at": message_id})
    return f"{reverse('thread', args=[root])}?{query}#m{message_id}"


def refused_in_thread(
    request: PageRequest, root: ReadableMessage, error: DomainError
) -> HttpResponse:
    """The thread, with the refused text in its composer and the reason."""
    parent = request.POST.get("parent", "")
    # Drop the reply if the parent was the reason.
    keeps = not isinstance(error, ConflictError | UnknownParentError)
    query = {"at": parent, "reply": parent} if keeps and parent else {}
    refused = {"content": request.POST.get("content", ""), "refusal": error}
    return set_error_status(_thread_page(request, root, query, refused=refused), error)


def _thread_page(
    request: PageRequest,
    root: ReadableMessage,
    query: Mapping[str, str],
    *,
    refused: Mapping[str, object] | None,
) -> HttpResponse:
    top = root.projection()
    membership = access.membership(
        reader=reader_of(request), conversation_id=ConversationId(root.conversation_id)
    )
    at = parse_message_id(query.get("at"))
    page = _page(root, query, at)
    unread = thread_unread(
        membership=membership, root=top, page=[each.id for each in page.items]
    )
    layout = thread_layout(top, page, unread, _parents(top, page))
    shown = [top, *page.items]
    composer = _composer(request, membership, query, layout, top.id, at)
    context = composer | {
        "summary": summaries.conversation_summary(
            membership=membership, last_message=False
        ),
        "message": top,
        "page": page,
        "at": at,
        "layout": layout,
        "unread_here": unread,
        "next_unread": _next_unread(page, unread, top.id),
        "first_unread": notifications.first_unread(membership=membership),
        "namesakes": namesakes_among(
            conversation_id=top.conversation_id, shown=[each.sender for each in shown]
        ),
        "mentioned": mentioned_participants(
            conversation_id=top.conversation_id,
            contents=[each.content for each in shown],
        ),
    }
    return render(request, "chats/thread.html", context | dict(refused or {}))


def _page(
    root: ReadableMessage, query: Mapping[str, str], at: MessageId | None
) -> ThreadPage:
    if at is not None:
        return thread_page_with(root=root, message_id=at, limit=_PAGE)
    return thread_page(root=root, cursor=query.get("cursor"), limit=_PAGE)


def _composer(
    request: PageRequest,
    membership: Membership,
    query: Mapping[str, str],
    layout: ThreadLayout,
    root: MessageId,
    at: MessageId | None,
) -> dict[str, object]:
    if query.get("reply"):
        chosen = composer_context(request, membership, query)
        return chosen | {"thread_id": root}
    return thread_composer_context(membership, layout.answered_at(at), root)


def _parents(
    root: MessageProjection, page: ThreadPage
) -> dict[MessageId, MessageProjection]:
    """The parents of a page's messages; a query if some are on other pages."""
    shown: dict[MessageId, MessageProjection] = {each.id: each for each in page.items}
    shown[root.id] = root
    elsewhere = [each for each in page.items if each.parent_message_id not in shown]
    if elsewhere:
        shown |= message_lists.answered_messages(messages=elsewhere)
    return shown


def _next_unread(
    page: ThreadPage, unread: ThreadUnread, root: MessageId
) -> MessageId | None:
    """The first unread message of the page, or else the oldest on another one."""
    here = [root, *(each.id for each in page.items)]
    return next((each for each in here if each in unread.on_page), unread.elsewhere)
