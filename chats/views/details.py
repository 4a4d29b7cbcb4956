"""What a conversation is, beside what is said in it: people, title, mute, hide."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages as flashes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chats.forms import AddForm, RefusableForm, TitleForm
from chats.gates import PageRequest, in_place, reader_of, signed_in
from chats.refusals import add_refusal, mark_refused
from messaging import access
from messaging.access import Membership, Ownership
from messaging.errors import ConflictError, DomainError, NotFoundError
from messaging.ids import ConversationId
from messaging.models.conversations import ParticipantRole
from messaging.services import blocks, conversations, participants, summaries

_PAGE: Final = 50


@signed_in
@require_safe
def details(request: PageRequest, conversation_id: int) -> HttpResponse:
    context = _details(request, _part(request, conversation_id))
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

    return _tried(request, conversation_id, form, renamed)


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

    return _tried(request, conversation_id, form, added)


@signed_in
@require_POST
def remove(request: PageRequest, conversation_id: int, username: str) -> HttpResponse:
    """Put someone else out of the group."""
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
def mute(request: PageRequest, conversation_id: int) -> HttpResponse:
    """Mute with `on`, unmute without."""
    muted = "on" in request.POST
    part = _part(request, conversation_id)
    participants.set_muted(membership=part, muted=muted)
    told = "Muted: its notifications are silent." if muted else "No longer muted."
    return _changed(request, conversation_id, told)


@signed_in
@require_POST
def hide(request: PageRequest, conversation_id: int) -> HttpResponse:
    """Hide with `on`, bring back without."""
    hidden = "on" in request.POST
    part = _part(request, conversation_id)
    participants.set_hidden(membership=part, hidden=hidden)
    told = "Hidden until its next message." if hidden else "Back in your list."
    return _changed(request, conversation_id, told)


@signed_in
@require_POST
def leave(request: PageRequest, conversation_id: int) -> HttpResponse:
    part = _part(request, conversation_id)
    participants.remove_participant(membership=part, username=request.user.username)
    flashes.success(request, f"You left {part.conversation.title}.")
    return redirect("conversations")


def _part(request: PageRequest, conversation_id: int) -> Membership:
    return access.membership(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )


def _owned(request: PageRequest, conversation_id: int) -> Ownership:
    return access.ownership(
        owner=reader_of(request), conversation_id=ConversationId(conversation_id)
    )


def _details(request: PageRequest, part: Membership) -> dict[str, object]:
    summary = summaries.conversation_summary(membership=part)
    theirs = [] if summary.other is None else [summary.other.pk]
    everyone = participants.participant_page(
        membership=part, cursor=request.GET.get("cursor"), limit=_PAGE
    )
    return {
        "each": summary,
        "talk": summary.conversation,
        "owns": summary.role == ParticipantRole.OWNER,
        "everyone": everyone,
        "blocked": blocks.blocked_among(blocker=reader_of(request), people=theirs),
        "title_form": TitleForm(initial={"title": summary.conversation.title}),
        "add_form": AddForm(),
    }


def _tried(
    request: PageRequest,
    conversation_id: int,
    form: TitleForm | AddForm,
    deed: Callable[[], str],
) -> HttpResponse:
    """Do what a form asks for; a refusal stands in the form."""
    if form.is_valid():
        try:
            return _changed(request, conversation_id, deed())
        except DomainError as error:
            _refuse(form, error)
    context = _details(request, _part(request, conversation_id))
    context["title_form" if isinstance(form, TitleForm) else "add_form"] = form
    template = "details_body" if in_place(request) else "details"
    response = render(request, f"chats/{template}.html", context)
    return response if form.refusal is None else mark_refused(response, form.refusal)


def _refuse(form: RefusableForm, error: DomainError) -> None:
    form.refusal = error
    # Of a name, neither of the two knows which field it came in.
    if isinstance(error, NotFoundError | ConflictError) and "username" in form.fields:
        form.add_error("username", str(error))
    else:
        add_refusal(form, error)


def _changed(request: PageRequest, conversation_id: int, told: str) -> HttpResponse:
    flashes.success(request, told)
    if not in_place(request):
        return redirect("conversation_details", conversation_id)
    context = _details(request, _part(request, conversation_id))
    return render(request, "chats/details_body.html", {**context, "in_place": True})
