"""Going anywhere by name, and by keys."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats.decorators import PageRequest, in_place, reader_of, signed_in
from chats.navigation import is_staff
from chats.places import places


@signed_in
@require_safe
def go(request: PageRequest) -> HttpResponse:
    """Where one can go; for scripts, as the options of their dialog."""
    typed = request.GET.get("q", "").strip()
    found = places(
        reader=reader_of(request), typed=typed, is_staff=is_staff(request.user)
    )
    template = "go_options" if in_place(request) else "go"
    return render(request, f"chats/{template}.html", {"wanted": typed, "places": found})


@signed_in
@require_safe
def keys(request: PageRequest) -> HttpResponse:
    """Which keys there are; for scripts, without the page around them."""
    template = "key_list" if in_place(request) else "keys"
    return render(request, f"chats/{template}.html")
