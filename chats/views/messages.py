"""A single message: its place, its thread, its history; editing and deleting it."""

from typing import Final

from django.contrib import messages as flashes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from chats.gates import PageRequest, in_place, reader_of, signed_in
from chats.ids import given_sequence
from chats.refusals import mark_refused
from chats.trees import branches
from messaging import access
from messaging.access import ReadableMessage
from messaging.errors import InvalidError, NotDeliverableError, StaleVersionError
from messaging.ids import MessageId
from messaging.models import Message
from messaging.services import history, messages, notifications, threads, timelines

_LEVELS: Final = 8
_NODES: Final = 200
_VERSIONS: Final = 20
_RECEIPTS: Final = 100


@signed_in
@require_safe
def message(request: PageRequest, message_id: int) -> HttpResponse:
    """Where it stands in its conversation; for scripts, the message itself."""
    found = _readable(request, message_id)
    return _shown(request, found) if in_place(request) else redirect(_place(found))


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit_message(request: PageRequest, message_id: int) -> HttpResponse:
    own = access.own_message(
        sender=reader_of(request), message_id=MessageId(message_id)
    )
    form = {"message": own, "content": own.content, "version": own.content_version}
    if request.method != "POST":
        return _form(request, "edit_message", form)
    form |= {"content": request.POST.get("content", "")}
    try:
        edited = messages.edit_message(
            message=own,
            content=request.POST.get("content", ""),
            versions=frozenset({int(given_sequence(request.POST.get("version")))}),
        )
    except (InvalidError, StaleVersionError, NotDeliverableError) as error:
        return mark_refused(
            _form(request, "edit_message", {**form, "refusal": error}), error
        )
    return _shown(request, edited) if in_place(request) else redirect(_place(edited))


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_message(request: PageRequest, message_id: int) -> HttpResponse:
    own = access.own_message(
        sender=reader_of(request), message_id=MessageId(message_id)
    )
    if request.method != "POST":
        return _form(request, "delete_message", {"message": own})
    replied = bool(own.reply_count)
    conversation_id = own.conversation_id
    messages.delete_message(message=own)
    if not in_place(request):
        flashes.success(request, "The message is deleted.")
        return redirect("conversation", conversation_id)
    return (
        _shown(request, _readable(request, message_id)) if replied else HttpResponse()
    )


@signed_in
@require_POST
def unread_message(request: PageRequest, message_id: int) -> HttpResponse:
    """Bring it back into the inbox."""
    received = access.received_message(
        reader=reader_of(request), message_id=MessageId(message_id)
    )
    notifications.mark_message_unread(message=received, reader=reader_of(request))
    if in_place(request):
        return render(request, "chats/marked_unread.html", {"in_place": True})
    flashes.success(request, "It is back in your inbox.")
    return redirect("inbox")


@signed_in
@require_safe
def thread(request: PageRequest, message_id: int) -> HttpResponse:
    root = _readable(request, message_id)
    tree = threads.thread(root=root, depth=_LEVELS, nodes=_NODES)
    return render(
        request,
        "chats/thread.html",
        {
            "message": root,
            "branches": branches(tree),
            "count": tree.descendant_count,
            "conversation_id": root.conversation_id,
        },
    )


@signed_in
@require_safe
def message_history(request: PageRequest, message_id: int) -> HttpResponse:
    """Every version, the oldest first, and what changed between them."""
    found = _readable(request, message_id)
    page = history.version_page(
        message=found,
        reader=reader_of(request),
        cursor=request.GET.get("cursor"),
        limit=_VERSIONS,
    )
    own = found.sender_id == request.user.pk
    return render(
        request, "chats/history.html", {"message": found, "page": page, "own": own}
    )


@signed_in
@require_POST
def restore_version(
    request: PageRequest, message_id: int, version: int
) -> HttpResponse:
    own = access.own_message(
        sender=reader_of(request), message_id=MessageId(message_id)
    )
    history.restore_version(message=own, version=version)
    flashes.success(request, f"Version {version} is back.")
    return redirect("message_history", message_id)


@signed_in
@require_safe
def receipts(request: PageRequest, message_id: int) -> HttpResponse:
    """Who was told of it, and who has read it."""
    found = _readable(request, message_id)
    page = notifications.receipt_page(
        message=found, cursor=request.GET.get("cursor"), limit=_RECEIPTS
    )
    return render(request, "chats/receipts.html", {"message": found, "page": page})


def _readable(request: PageRequest, message_id: int) -> ReadableMessage:
    return access.readable_message(
        reader=reader_of(request), message_id=MessageId(message_id)
    )


def _place(message: Message) -> str:
    page = reverse("conversation", args=[message.conversation_id])
    return f"{page}?around={message.pk}#m{message.pk}"


def _shown(request: PageRequest, message: Message) -> HttpResponse:
    """The message as its conversation shows it."""
    answered = timelines.answered_messages(messages=[message])
    parent = answered.get(MessageId(message.parent_message_id or 0))
    return render(
        request, "chats/message.html", {"message": message, "answered": parent}
    )


def _form(request: PageRequest, name: str, context: dict[str, object]) -> HttpResponse:
    """A form in the place of a message, or on a page of its own."""
    part = "" if in_place(request) else "_page"
    return render(request, f"chats/{name}{part}.html", context)
