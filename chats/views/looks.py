"""What staff may read of others' messages, and when they did."""

from typing import Final

from django.contrib import messages as flashes
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chats.decorators import PageRequest, reader_of, signed_in
from chats.ids import parse_look_id
from messaging.services import looks
from messaging.services.oversight import oversight

_PAGE: Final = 30


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Who can read what, for everybody, signed in or not."""
    context = {
        "oversight": oversight(),
        "database": connection.vendor,
        "one_record_for": int(looks.ONE_RECORD_FOR.total_seconds() // 60),
        "kept_for": looks.KEPT_FOR.days,
    }
    return render(request, "chats/privacy.html", context)


@signed_in
@require_safe
def look_list(request: PageRequest) -> HttpResponse:
    reader = reader_of(request)
    page = looks.look_page(reader=reader, cursor=request.GET.get("cursor"), limit=_PAGE)
    context = {"page": page, "at": looks.looked_at(reader=reader, looks=page.items)}
    return render(request, "chats/looks.html", context)


@signed_in
@require_POST
def looks_seen(request: PageRequest) -> HttpResponse:
    """Mark looks as seen, up to the newest that the page showed."""
    looks.mark_looks_seen(
        reader=reader_of(request), up_to=parse_look_id(request.POST.get("up_to"))
    )
    flashes.success(request, "Marked as seen.")
    return redirect("looks")
