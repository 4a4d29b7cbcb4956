"""The Jinja2 environment of the pages, which `TEMPLATES` in the settings names."""

from functools import cache, lru_cache, partial
from importlib.resources import files
from typing import Final

from django.templatetags.static import static
from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup

from chats.navigation import navigation_of
from chats.templating import filters
from chats.templating.conversation_rows import conversation_row
from chats.templating.message_actions import message_actions
from chats.templating.paths import path
from chats.templating.qr_codes import qr_code

# By whose it is, where, and what it counts.
_NAVIGATIONS: Final = 1000
_ICONS: Final = files("chats") / "templates" / "chats" / "icons"


def environment(*, loader: BaseLoader, auto_reload: bool, **_: object) -> Environment:
    """Django's backend calls it. A name that no view gave is an error."""
    made = Environment(
        loader=loader,
        auto_reload=auto_reload,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        avatar=filters.avatar,
        avatar_of=filters.avatar_of,
        conversation_row=conversation_row(made),
        icon=icon,
        message_actions=message_actions(made),
        navigation_entries=lru_cache(_NAVIGATIONS)(partial(_navigation, made)),
        now_ms=filters.now_ms,
        path=path,
        scripts=cache(partial(_scripts, made)),
        static=_static,
    )
    made.filters.update(
        badge=filters.badge,
        clock=filters.clock,
        counted=filters.counted,
        day=filters.day,
        excerpt=filters.excerpt,
        moment=filters.moment,
        name_and_username=filters.name_and_username,
        name_of=filters.name_of,
        named=filters.named,
        qr_code=qr_code,
        typed=filters.typed,
    )
    return made


@cache
def icon(name: str) -> Markup:
    """The SVG of an icon, which is a file of ours."""
    return Markup((_ICONS / f"{name}.svg").read_text())  # noqa: S704


def _scripts(made: Environment, signed_in: bool) -> Markup:
    page = made.get_template("chats/scripts.html")
    return Markup(page.render(signed_in=signed_in))  # noqa: S704  # a file of ours


def _navigation(
    made: Environment,
    is_staff: bool,
    section: str | None,
    badge_count: int,
    new_looks: int,
) -> Markup:
    page = made.get_template("chats/navigation_entries.html")
    entries = page.render(
        entries=navigation_of(is_staff=is_staff),
        section=section,
        badge_count=badge_count,
        new_looks=new_looks,
    )
    return Markup(entries)  # noqa: S704  # a file of ours


# The address of a static file is looked up once: it stays while the server runs.
_static: Final = cache(static)
