"""What to call the browser that a person signs in with."""

from collections.abc import Mapping
from typing import Final

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from messaging.services.sessions import signed_in_note

# In this order: most browsers also name those that they are like.
_BROWSERS: Final = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS: Final = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


@receiver(user_logged_in, dispatch_uid="chats.user.logged_in")
def on_user_logged_in(*, request: HttpRequest, **_: object) -> None:
    agent = request.headers.get("User-Agent", "")
    request.session.update(signed_in_note(device=device_name(agent)))


def device_name(agent: str) -> str:
    """Browser and system, as far as a User-Agent tells; nothing else of it is kept."""
    browser = _named(agent, _BROWSERS)
    system = _named(agent, _SYSTEMS)
    return " on ".join(name for name in (browser, system) if name)


def _named(agent: str, names: Mapping[str, str]) -> str:
    return next((name for mark, name in names.items() if mark in agent), "")
