"""Finding people, and blocking them."""

from typing import Final

from django.contrib import messages as flashes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chats.decorators import PageRequest, in_place, reader_of, signed_in
from messaging.ids import UserId
from messaging.models import Conversation, User
from messaging.pagination import Page
from messaging.services import blocks, people_search, shared_groups, users

_PAGE: Final = 30
_OPTIONS: Final = 8


@signed_in
@require_safe
def people(request: PageRequest) -> HttpResponse:
    """Find users by any part of their names, which is `q`."""
    wanted = request.GET.get("q", "").strip().removeprefix("@")
    page = people_search.search_users(
        typed=wanted, cursor=request.GET.get("cursor"), limit=_PAGE
    )
    theirs = blocks.blocked_among(
        blocker=reader_of(request), people=[person.pk for person in page.items]
    )
    context = {"wanted": wanted, "page": page, "blocked": theirs}
    return render(request, "chats/people.html", context)


@signed_in
@require_safe
def people_options(request: PageRequest) -> HttpResponse:
    """For scripts: others who have `q` in one of their names."""
    typed = request.GET.get("q", "").strip().removeprefix("@")
    page = people_search.search_users(typed=typed, cursor=None, limit=_OPTIONS + 1)
    others = [each for each in page.items if each.pk != request.user.pk]
    context = {"people": others[:_OPTIONS]}
    return render(request, "chats/name_options.html", context)


@signed_in
@require_safe
def person(request: PageRequest, username: str) -> HttpResponse:
    """A person's card: their names, the groups one shares with them, and what one can do."""
    shown = users.active_user(username=username)
    context = {
        "person": shown,
        "blocked": blocks.blocked_among(blocker=reader_of(request), people=[shown.pk]),
        "groups": _shared_groups(request, shown),
    }
    return render(request, "chats/person.html", context)


@signed_in
@require_safe
def blocked(request: PageRequest) -> HttpResponse:
    page = blocks.block_page(
        blocker=reader_of(request), cursor=request.GET.get("cursor"), limit=_PAGE
    )
    return render(
        request,
        "chats/blocked.html",
        {"page": page, "blocked": {each.blocked_id for each in page.items}},
    )


@signed_in
@require_POST
def block(request: PageRequest, username: str) -> HttpResponse:
    """Block a user: nothing new is delivered between the two."""
    person = users.active_user(username=username)
    blocks.block(blocker=request.user, blocked=person)
    flashes.success(request, f"{person.display_name} is blocked.")
    return _person_row(request, person, blocked={person.pk})


@signed_in
@require_POST
def unblock(request: PageRequest, username: str) -> HttpResponse:
    person = users.account_named(username=username)
    blocks.unblock(blocker=request.user, blocked=person)
    flashes.success(request, f"{person.display_name} is no longer blocked.")
    return _person_row(request, person, blocked=set())


def _person_row(
    request: PageRequest, person: User, *, blocked: set[int]
) -> HttpResponse:
    if not in_place(request):
        return redirect("blocked")
    context = {"person": person, "blocked": blocked}
    return render(request, "chats/person_changed.html", context)


def _shared_groups(request: PageRequest, other: User) -> Page[Conversation]:
    if other == request.user:
        return Page([], None)
    return shared_groups.shared_group_page(
        one=reader_of(request),
        other=UserId(other.pk),
        cursor=request.GET.get("cursor"),
        limit=_PAGE,
    )
