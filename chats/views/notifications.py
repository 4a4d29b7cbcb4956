"""A user's notifications: what is unread, and the mentions and replies that are read."""

from typing import Final

from django.contrib import messages as flashes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chats.decorators import PageRequest, in_place, reader_of, signed_in
from messaging.ids import ConversationId, NotificationId
from messaging.namesakes import namesakes
from messaging.services import conversations, inbox, notification_lists, notifications

_PAGE: Final = 30


@signed_in
@require_safe
def notification_list(request: PageRequest) -> HttpResponse:
    return render(request, "chats/notifications.html", _notifications(request))


@signed_in
@require_POST
def read_all(request: PageRequest) -> HttpResponse:
    """Mark all notifications read that had arrived when the page was made."""
    inbox.mark_inbox_read(
        reader=reader_of(request), up_to=request.POST.get("up_to", "")
    )
    flashes.success(request, "Marked as read.")
    if in_place(request):
        context = _notifications(request)
        return render(request, "chats/notifications_changed.html", context)
    return redirect("notifications")


@signed_in
@require_POST
def read_notification(request: PageRequest, notification_id: int) -> HttpResponse:
    notifications.mark_notification_read(
        reader=reader_of(request), notification_id=NotificationId(notification_id)
    )
    if in_place(request):
        # The button is replaced by nothing, and the count beside it is updated.
        return render(request, "chats/unread_count.html")
    return redirect("notifications")


def _notifications(request: PageRequest) -> dict[str, object]:
    reader = reader_of(request)
    # Read this before the list: a notification that arrives in between must stay unread.
    up_to = inbox.up_to_now()
    page = notification_lists.notification_page(
        reader=reader, cursor=request.GET.get("cursor"), limit=_PAGE
    )
    titles = conversations.titles(
        conversation_ids={
            ConversationId(each.message.conversation_id) for each in page.items
        }
    )
    return {
        "items": [
            (each, titles.get(ConversationId(each.message.conversation_id), ""))
            for each in page.items
        ],
        "namesakes": namesakes(each.message.sender for each in page.items),
        "up_to": up_to,
        "next_cursor": page.next_cursor,
    }
