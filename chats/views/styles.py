"""A style sheet for each user, which marks the user's own messages.

The cached message list is the same for all participants, so it cannot mark them.
"""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from chats.decorators import PageRequest, signed_in

_OWN: Final = """\
[data-sender="{id}"] .own-only {{ display: revert }}
[data-sender="{id}"] .other-only {{ display: none }}
[data-sender="{id}"] {{ --own: var(--accent) }}
.mention[data-mentions="{id}"] {{ background: var(--accent); color: var(--on-accent) }}
@media (forced-colors: active) {{
  .message[data-sender="{id}"] {{ border-inline-start-color: Highlight }}
  .mention[data-mentions="{id}"] {{ outline: 1px solid Highlight }}
}}
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
    """Redirect to the icon: browsers request this path where no page names an icon."""
    return redirect(static("chats/icon.svg"))
