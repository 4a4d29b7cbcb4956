"""A single message: redirects, history and receipts; editing and deleting."""

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
from django_htmx.http import reswap, retarget

from chats.composers import thread_id_of
from chats.decorators import PageRequest, in_place, reader_of, signed_in
from chats.errors import set_error_status
from chats.ids import parse_sequence
from chats.unsent import unsent_form
from messaging import access
from messaging.access import ReadableMessage
from messaging.errors import (
    DeletedMessageError,
    DomainError,
    InvalidError,
    MessageNotFoundError,
    NotDeliverableError,
    StaleVersionError,
)
from messaging.ids import MessageId
from messaging.models import Message
from messaging.projections import MessageProjection
from messaging.services import history, message_lists, messages, notifications
from messaging.services.mentions import mentioned_participants
from messaging.services.participants import namesakes_among
from messaging.services.receipts import receipt_page

_VERSIONS: Final = 20
_RECEIPTS: Final = 100

_GONE: Final = "This message was deleted meanwhile. Copy what you wrote from here."


@signed_in
@require_safe
def message(request: PageRequest, message_id: int) -> HttpResponse:
    """Redirect to the message in its conversation; for scripts, return the message itself."""
    found = _readable(request, message_id)
    if in_place(request):
        return _shown(request, found.projection())
    return redirect(_place(found))


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit_message(request: PageRequest, message_id: int) -> HttpResponse:
    try:
        return _edited(request, message_id)
    except (MessageNotFoundError, DeletedMessageError) as error:
        if request.method != "POST":
            raise
        return _edit_gone(request, error)


def _edited(request: PageRequest, message_id: int) -> HttpResponse:
    own = access.own_message(
        sender=reader_of(request), message_id=MessageId(message_id)
    )
    form = {
        "message": own,
        "content": own.content,
        "version": own.content_version,
        "refusal": None,
    }
    if request.method != "POST":
        return _form(request, "edit_message", form)
    form |= {"content": request.POST.get("content", "")}
    try:
        edited = messages.edit_message(
            message=own,
            content=request.POST.get("content", ""),
            versions=frozenset({int(parse_sequence(request.POST.get("version")))}),
        )
    except (InvalidError, StaleVersionError, NotDeliverableError) as error:
        return set_error_status(
            _form(request, "edit_message", {**form, "refusal": error}), error
        )
    if in_place(request):
        return _shown(request, edited.projection())
    return redirect(_place(edited))


def _edit_gone(request: PageRequest, error: DomainError) -> HttpResponse:
    """The typed text, to copy it, if the message was deleted during the edit.

    A message that the user may not see gets the same response.
    """
    context: dict[str, object] = {"refusal": _GONE}
    if not in_place(request):
        context |= {
            "conversation_id": None,
            "unsent": unsent_form(request, again=False),
        }
        return set_error_status(
            render(request, "chats/error_page.html", context), error
        )
    context |= {"content": request.POST.get("content", "")}
    shown = render(request, "chats/edit_gone.html", context)
    # The row stays on the page; the text replaces the form in it.
    return set_error_status(reswap(retarget(shown, "this"), "outerHTML"), error)


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
    if not replied:
        return HttpResponse()
    return _shown(request, _readable(request, message_id).projection())


@signed_in
@require_POST
def unread_message(request: PageRequest, message_id: int) -> HttpResponse:
    """Mark a message unread: it returns to the inbox."""
    received = access.received_message(
        reader=reader_of(request), message_id=MessageId(message_id)
    )
    notifications.mark_message_unread(message=received, reader=reader_of(request))
    if in_place(request):
        return render(request, "chats/marked_unread.html")
    flashes.success(request, "It is back in your inbox.")
    return redirect("inbox")


@signed_in
@require_safe
def message_history(request: PageRequest, message_id: int) -> HttpResponse:
    """All versions, oldest first, with the changes between them."""
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
    """The users who were notified, and whether each has read the message."""
    found = _readable(request, message_id)
    page = receipt_page(
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


def _shown(request: PageRequest, message: MessageProjection) -> HttpResponse:
    """The message as the requesting page shows it: in a conversation, or in a thread."""
    answered = message_lists.answered_messages(messages=[message])
    parent = answered.get(MessageId(message.parent_message_id or 0))
    alike = namesakes_among(
        conversation_id=message.conversation_id,
        shown=[message.sender, None if parent is None else parent.sender],
    )
    context = {
        "message": message,
        "answered": parent,
        "namesakes": alike,
        "mentioned": mentioned_participants(
            conversation_id=message.conversation_id, contents=[message.content]
        ),
        "thread_id": thread_id_of(request.GET),
    }
    return render(request, "chats/message.html", context)


def _form(request: PageRequest, name: str, context: dict[str, object]) -> HttpResponse:
    """A form that replaces a message in place, or has a page of its own."""
    placed = in_place(request)
    suffix = "" if placed else "_page"
    context = {**context, "in_place": placed, "thread_id": thread_id_of(request.GET)}
    return render(request, f"chats/{name}{suffix}.html", context)
