"""Names of browser sessions, derived from the User-Agent."""

from collections.abc import Mapping
from typing import Final

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from messaging.ids import UserId
from messaging.models import User
from messaging.services.sessions import end_oldest_sessions, new_session_data

# The order matters: most browsers also name the browsers that they resemble.
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
def on_user_logged_in(*, request: HttpRequest, user: User, **_: object) -> None:
    # Before the new session is stored, to make room for it.
    end_oldest_sessions(user_id=UserId(user.pk))
    agent = request.headers.get("User-Agent", "")
    request.session.update(new_session_data(device=device_name(agent)))


def device_name(agent: str) -> str:
    """The browser and system of a User-Agent; nothing else of it is kept."""
    browser = _named(agent, _BROWSERS)
    system = _named(agent, _SYSTEMS)
    return " on ".join(name for name in (browser, system) if name)


def _named(agent: str, names: Mapping[str, str]) -> str:
    return next((name for mark, name in names.items() if mark in agent), "")
