"""Completing a mention in the composer."""

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats.decorators import PageRequest, reader_of, signed_in
from messaging import access
from messaging.ids import ConversationId
from messaging.services.mentions import mention_candidates

_MOST: Final = 8


@signed_in
@require_safe
def mention_options(request: PageRequest, conversation_id: int) -> HttpResponse:
    """For scripts: the participants who have `q` in one of their names."""
    membership = access.membership(
        reader=reader_of(request), conversation_id=ConversationId(conversation_id)
    )
    found = mention_candidates(
        membership=membership, typed=request.GET.get("q", ""), limit=_MOST
    )
    return render(request, "chats/name_options.html", {"people": found})
