"""Catching up: what waits, by conversation and thread. Nothing is read until one says so."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from django.contrib import messages as flashes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from chats.catch_up_cards import namesakes_on, waiting_conversations
from chats.decorators import PageRequest, in_place, reader_of, signed_in
from chats.idempotency import new_form_id, run_once
from chats.ids import parse_message_id, parse_ranges, parse_sequence
from messaging import access
from messaging.errors import InvalidError
from messaging.ids import ConversationId
from messaging.sequence_ranges import SequenceRange
from messaging.services import notifications
from messaging.services.catch_up import Shown
from messaging.services.catch_up import catch_up as find_waiting
from messaging.services.messages import send_message

# Conversations of a page, and messages of all of them.
_PAGE: Final = 15
_MESSAGES: Final = 60


@signed_in
@require_safe
def catch_up(request: PageRequest) -> HttpResponse:
    """What waits, oldest first; `show` leaves all out but mentions or replies."""
    show = _shown(request.GET.get("show", ""))
    cursor = request.GET.get("cursor")
    found = find_waiting(
        reader=reader_of(request),
        show=show,
        cursor=cursor,
        limit=_PAGE,
        messages=_MESSAGES,
    )
    waiting = waiting_conversations(found.items)
    context = {
        "waiting": waiting,
        "found": found,
        "filters": _filters(found.badge_count, found.mention_count, found.reply_count),
        "show": show.value,
        "continued": cursor is not None,
        "namesakes": namesakes_on(waiting),
        "undo": _undo(request.GET.get("undo", "")),
    }
    return render(request, "chats/catch_up.html", context)


@signed_in
@require_POST
def done(request: PageRequest, conversation_id: int) -> HttpResponse:
    """Mark read just what was on the card, and offer to take that back."""
    membership = access.membership(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )
    ranges = request.POST.getlist("range")
    notifications.mark_ranges_read(membership=membership, ranges=_ranges(ranges))
    undo = {"conversation_id": conversation_id, "ranges": ranges}
    if in_place(request):
        return render(request, "chats/caught_up.html", {"undo": undo})
    return _back(request, undo=f"{conversation_id}:{','.join(ranges)}")


@signed_in
@require_POST
def undo(request: PageRequest, conversation_id: int) -> HttpResponse:
    """Mark unread again what was marked read."""
    membership = access.membership(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )
    ranges = _ranges(request.POST.getlist("range"))
    notifications.mark_ranges_unread(membership=membership, ranges=ranges)
    flashes.success(request, "They are unread again.")
    return _back(request)


@signed_in
@require_POST
def reply(request: PageRequest, conversation_id: int) -> HttpResponse:
    """Answer from the card: its thread, or the conversation. This marks nothing read."""
    membership = access.membership(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )
    content = request.POST.get("content", "")
    parent_id = parse_message_id(request.POST.get("parent"))
    run_once(
        user_id=reader_of(request),
        form=request.POST.get("form", ""),
        holds=(conversation_id, parent_id, content),
        do=lambda: (
            send_message(membership=membership, content=content, parent_id=parent_id).id
        ),
    )
    if in_place(request):
        context = {
            "conversation_id": conversation_id,
            "parent_id": parent_id,
            "content": content,
            "form_id": new_form_id(),
            "part": request.POST.get("part", ""),
            "show": _shown(request.POST.get("show", "")).value,
        }
        return render(request, "chats/catch_up_replied.html", context)
    flashes.success(request, "Sent.")
    return _back(request)


def _filters(
    everything: int, mentions: int, replies: int
) -> list[tuple[str, str, int]]:
    """By the query's value: the label and the count of each."""
    return [
        (Shown.ALL.value, "All", everything),
        (Shown.MENTIONS.value, "Mentions", mentions),
        (Shown.REPLIES.value, "Replies", replies),
    ]


def _shown(text: str) -> Shown:
    return next((each for each in Shown if each.value == text), Shown.ALL)


def _ranges(texts: Sequence[str]) -> list[SequenceRange]:
    """Parse what a form names, which must be something."""
    if not texts:
        raise InvalidError("Nothing was marked.", field="range")
    return parse_ranges(texts)


def _undo(text: str) -> dict[str, object] | None:
    """What can be taken back, as `_back` wrote it into the address: `CONVERSATION:RANGE,RANGE`."""
    conversation, _, ranges = text.partition(":")
    if not ranges:
        return None
    parse_ranges(ranges.split(","))
    return {
        "conversation_id": int(parse_sequence(conversation)),
        "ranges": ranges.split(","),
    }


def _back(request: PageRequest, **query: str) -> HttpResponse:
    show = _shown(request.POST.get("show", ""))
    if show is not Shown.ALL:
        query["show"] = show.value
    address = reverse("catch_up")
    return redirect(f"{address}?{urlencode(query)}" if query else address)
