"""Starting a conversation."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from chats.forms import DirectForm, GroupForm
from chats.gates import PageRequest, reader_of, signed_in
from chats.once import once
from chats.refusals import add_refusal, mark_refused
from messaging.errors import DomainError
from messaging.ids import UserId
from messaging.services import conversations, users


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def start_conversation(request: PageRequest) -> HttpResponse:
    """Write to someone, or gather a group; `to` fills in the name."""
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
    refusal = direct.refusal or group.refusal
    return response if refusal is None else mark_refused(response, refusal)


def _opened(request: PageRequest, form: DirectForm | GroupForm) -> int | None:
    """The id of the conversation; None if the form tells why there is none."""
    try:
        return (
            _group(request, form)
            if isinstance(form, GroupForm)
            else _direct(request, form)
        )
    except DomainError as error:
        form.refusal = error
        add_refusal(form, error)
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
    return once(
        person=reader_of(request),
        form=form.cleaned_data["form"],
        holds=(title, *usernames),
        do=lambda: (
            conversations.start_group(
                owner=request.user, title=title, usernames=usernames
            ).conversation.pk
        ),
    )
