"""What of a conversation's look differs by person, as a style sheet of their own.

The list of messages is shared by all who read it; this marks in it what is theirs.
"""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from chats.gates import PageRequest, signed_in

_OWN: Final = """\
[data-sender="{id}"] .own-only {{ display: revert }}
[data-sender="{id}"] .other-only {{ display: none }}
[data-sender="{id}"] {{ --mine: var(--tint) }}
"""


@signed_in
@require_safe
@cache_control(private=True, max_age=24 * 3600)
def own_style(request: PageRequest, user_id: int) -> HttpResponse:
    if user_id != request.user.pk:
        raise Http404
    return HttpResponse(_OWN.format(id=user_id), content_type="text/css")


@csrf_exempt
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """What browsers ask for where no page names an icon."""
    return redirect(static("chats/icon.svg"))
