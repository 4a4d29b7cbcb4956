"""Starting a conversation."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from chats.decorators import PageRequest, reader_of, signed_in
from chats.errors import set_refusal_status
from chats.forms import DirectForm, GroupForm
from chats.idempotency import run_once
from messaging.ids import UserId
from messaging.services import conversations, users


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def start_conversation(request: PageRequest) -> HttpResponse:
    """Start a direct conversation or a group; `to` fills in the name."""
    kind = request.POST.get("kind")
    direct = DirectForm(request.POST if kind == "direct" else None, request.GET)
    group = GroupForm(request.POST if kind == "group" else None)
    for form in (direct, group):
        if form.is_bound and form.is_valid():
            opened = _opened(request, form)
            if opened is not None:
                return redirect("conversation", opened)
    response = render(
        request, "chats/start_conversation.html", {"direct": direct, "group": group}
    )
    return set_refusal_status(response, direct, group)


def _opened(request: PageRequest, form: DirectForm | GroupForm) -> int | None:
    """The id of the conversation; None if the form shows an error instead."""
    with form.showing_refusal():
        return (
            _group(request, form)
            if isinstance(form, GroupForm)
            else _direct(request, form)
        )
    return None


def _direct(request: PageRequest, form: DirectForm) -> int:
    other = users.active_user(username=form.username())
    opened = conversations.open_direct(
        one=reader_of(request), other=UserId(other.pk), field="participant"
    )
    return opened.conversation.pk


def _group(request: PageRequest, form: GroupForm) -> int:
    title: str = form.cleaned_data["title"]
    usernames = form.usernames()
    return run_once(
        user_id=reader_of(request),
        form=form.cleaned_data["form"],
        holds=(title, *usernames),
        do=lambda: (
            conversations.start_group(
                owner=request.user, title=title, usernames=usernames
            ).conversation.pk
        ),
    )
