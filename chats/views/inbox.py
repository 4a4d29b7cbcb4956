"""What is unread, over all conversations."""

from typing import Final

from django.contrib import messages as flashes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chats.gates import PageRequest, in_place, reader_of, signed_in
from messaging import access
from messaging.ids import ConversationId, MessageId
from messaging.services import conversations, notifications
from messaging.services.inbox import mark_inbox_read, unread_messages

_PAGE: Final = 30


@signed_in
@require_safe
def inbox(request: PageRequest) -> HttpResponse:
    return render(request, "chats/inbox.html", _inbox(request))


@signed_in
@require_POST
def read_inbox(request: PageRequest) -> HttpResponse:
    """Mark read what had arrived when the page was made."""
    mark_inbox_read(reader=reader_of(request), up_to=request.POST.get("up_to", ""))
    if in_place(request):
        return render(
            request, "chats/inbox_list.html", {**_inbox(request), "in_place": True}
        )
    flashes.success(request, "Marked as read.")
    return redirect("inbox")


@signed_in
@require_POST
def read_message(request: PageRequest, message_id: int) -> HttpResponse:
    """Take one message out of the inbox."""
    message = access.received_message(
        reader=reader_of(request), message_id=MessageId(message_id)
    )
    notifications.mark_message_read(message=message, reader=reader_of(request))
    if in_place(request):
        # Nothing in the place of the message, and the count beside it.
        return render(request, "chats/unread_count.html", {"in_place": True})
    return redirect("inbox")


def _inbox(request: PageRequest) -> dict[str, object]:
    found = unread_messages(
        reader=request.user, cursor=request.GET.get("cursor"), limit=_PAGE
    )
    titles = conversations.titles(
        conversation_ids={
            ConversationId(message.conversation_id) for message in found.page.items
        }
    )
    items = [
        # It may have ended since its message was read.
        (message, titles.get(ConversationId(message.conversation_id), ""))
        for message in found.page.items
    ]
    return {
        "items": items,
        "next_cursor": found.page.next_cursor,
        "up_to": found.up_to,
    }
