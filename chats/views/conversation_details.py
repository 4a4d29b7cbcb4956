"""The details of a conversation: participants, title, mute, hide, leave."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages as flashes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chats.decorators import PageRequest, in_place, reader_of, signed_in
from chats.errors import set_refusal_status
from chats.forms import AddForm, TitleForm
from messaging import access
from messaging.access import Membership, Ownership
from messaging.ids import ConversationId
from messaging.models.conversations import ParticipantRole
from messaging.services import (
    blocks,
    conversations,
    owners,
    participant_lists,
    participants,
    summaries,
)

_PAGE: Final = 50


@signed_in
@require_safe
def details(request: PageRequest, conversation_id: int) -> HttpResponse:
    context = _details_context(request, _membership(request, conversation_id))
    return render(request, "chats/details.html", context)


@signed_in
@require_POST
def rename(request: PageRequest, conversation_id: int) -> HttpResponse:
    group = _owned(request, conversation_id)
    form = TitleForm(request.POST)

    def renamed() -> str:
        title = form.cleaned_data["title"]
        conversations.rename_group(group=group, title=title)
        return "The group has a new title."

    return _submitted(request, conversation_id, form, renamed)


@signed_in
@require_POST
def add(request: PageRequest, conversation_id: int) -> HttpResponse:
    group = _owned(request, conversation_id)
    form = AddForm(request.POST)

    def added() -> str:
        username = form.cleaned_data["username"].removeprefix("@")
        participants.put_participant(
            group=group, username=username, role=ParticipantRole.MEMBER
        )
        return f"@{username} takes part now."

    return _submitted(request, conversation_id, form, added)


@signed_in
@require_POST
def remove(request: PageRequest, conversation_id: int, username: str) -> HttpResponse:
    """Remove another participant from a group."""
    group = _owned(request, conversation_id)
    participants.remove_participant(membership=group, username=username)
    return _changed(request, conversation_id, f"@{username} takes no part any more.")


@signed_in
@require_POST
def hand_over(
    request: PageRequest, conversation_id: int, username: str
) -> HttpResponse:
    group = _owned(request, conversation_id)
    participants.put_participant(
        group=group, username=username, role=ParticipantRole.OWNER
    )
    return _changed(request, conversation_id, f"@{username} owns the group now.")


@signed_in
@require_POST
def add_owner(
    request: PageRequest, conversation_id: int, username: str
) -> HttpResponse:
    group = _owned(request, conversation_id)
    owners.add_owner(group=group, username=username)
    return _changed(request, conversation_id, f"@{username} owns the group, too.")


@signed_in
@require_POST
def remove_owner(
    request: PageRequest, conversation_id: int, username: str
) -> HttpResponse:
    """Make an owner, perhaps oneself, a member again."""
    group = _owned(request, conversation_id)
    owners.remove_owner(group=group, username=username)
    return _changed(request, conversation_id, f"@{username} is a member now.")


@signed_in
@require_POST
def mute(request: PageRequest, conversation_id: int) -> HttpResponse:
    """With `on`, mute the conversation; without, unmute it."""
    muted = "on" in request.POST
    membership = _membership(request, conversation_id)
    participants.set_muted(membership=membership, muted=muted)
    text = (
        "Muted: in no badge, unless it mentions you." if muted else "No longer muted."
    )
    return _changed(request, conversation_id, text)


@signed_in
@require_POST
def hide(request: PageRequest, conversation_id: int) -> HttpResponse:
    """With `on`, hide the conversation; without, show it again."""
    hidden = "on" in request.POST
    membership = _membership(request, conversation_id)
    participants.set_hidden(membership=membership, hidden=hidden)
    text = "Hidden until its next message." if hidden else "Back in your list."
    return _changed(request, conversation_id, text)


@signed_in
@require_POST
def leave(request: PageRequest, conversation_id: int) -> HttpResponse:
    membership = _membership(request, conversation_id)
    participants.remove_participant(
        membership=membership, username=request.user.username
    )
    flashes.success(request, f"You left {membership.conversation.title}.")
    return redirect("conversations")


def _membership(request: PageRequest, conversation_id: int) -> Membership:
    return access.membership(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )


def _owned(request: PageRequest, conversation_id: int) -> Ownership:
    return access.ownership(
        owner=reader_of(request), conversation_id=ConversationId(conversation_id)
    )


def _details_context(request: PageRequest, membership: Membership) -> dict[str, object]:
    summary = summaries.conversation_summary(membership=membership, last_message=False)
    theirs = [] if summary.participant is None else [summary.participant.id]
    wanted = request.GET.get("q", "").strip().removeprefix("@")
    everyone = participant_lists.participant_page(
        membership=membership,
        cursor=request.GET.get("cursor"),
        limit=_PAGE,
        matching=wanted or None,
    )
    return {
        "summary": summary,
        "owns": summary.role == ParticipantRole.OWNER,
        "owns_alone": owners.owns_alone(membership=membership),
        "wanted": wanted,
        "everyone": everyone,
        "blocked": blocks.blocked_among(blocker=reader_of(request), people=theirs),
        "title_form": TitleForm(initial={"title": summary.title}),
        "add_form": AddForm(),
    }


def _submitted(
    request: PageRequest,
    conversation_id: int,
    form: TitleForm | AddForm,
    action: Callable[[], str],
) -> HttpResponse:
    """Call `action` if the form is valid; show a domain error in the form."""
    if form.is_valid():
        with form.showing_refusal():
            return _changed(request, conversation_id, action())
    context = _details_context(request, _membership(request, conversation_id))
    context["title_form" if isinstance(form, TitleForm) else "add_form"] = form
    template = "details_body" if in_place(request) else "details"
    response = render(request, f"chats/{template}.html", context)
    return set_refusal_status(response, form)


def _changed(request: PageRequest, conversation_id: int, text: str) -> HttpResponse:
    flashes.success(request, text)
    if not in_place(request):
        return redirect("conversation_details", conversation_id)
    context = _details_context(request, _membership(request, conversation_id))
    return render(request, "chats/details_changed.html", context)
