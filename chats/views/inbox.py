"""The inbox: unread messages of all conversations."""

from typing import Final

from django.contrib import messages as flashes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chats.decorators import PageRequest, in_place, reader_of, signed_in
from messaging import access
from messaging.ids import ConversationId, MessageId
from messaging.namesakes import namesakes
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
    """Mark all messages read that had arrived when the page was made."""
    mark_inbox_read(reader=reader_of(request), up_to=request.POST.get("up_to", ""))
    if in_place(request):
        return render(request, "chats/inbox_changed.html", _inbox(request))
    flashes.success(request, "Marked as read.")
    return redirect("inbox")


@signed_in
@require_POST
def read_message(request: PageRequest, message_id: int) -> HttpResponse:
    """Mark one message read, and remove it from the page."""
    message = access.received_message(
        reader=reader_of(request), message_id=MessageId(message_id)
    )
    notifications.mark_message_read(message=message, reader=reader_of(request))
    if in_place(request):
        # The message is replaced by nothing, and the count beside it is updated.
        return render(request, "chats/unread_count.html")
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
        # The conversation may have been deleted since the message was read.
        (message, titles.get(ConversationId(message.conversation_id), ""))
        for message in found.page.items
    ]
    return {
        "items": items,
        "namesakes": namesakes(message.sender for message in found.page.items),
        "next_cursor": found.page.next_cursor,
        "up_to": found.up_to,
    }
