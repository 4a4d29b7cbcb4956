"""The places that one can go to by typing a part of their names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from django.urls import reverse

from chats.navigation import NAVIGATION
from messaging.folding import fold
from messaging.ids import UserId
from messaging.services.people_search import search_users
from messaging.services.summaries import ConversationSummary, conversation_page
from messaging.text import is_storable

Kind = Literal["Conversation", "Group", "Person", "Command"]

_MOST: Final = 6
_LONGEST_TYPED: Final = 64


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is what it is found by first, `details` what else tells it from others."""

    kind: Kind
    key: str
    name: str
    path: str
    details: str = ""
    # Whether one gets there by sending the form of this path, which pages have.
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class _Command:
    """`words` are further words by which it is found."""

    url_name: str
    label: str
    words: str = ""
    is_form: bool = False


_COMMANDS: Final = (
    _Command("start_conversation", "New conversation", "start write group"),
    *(_Command(entry.url_name, entry.label) for entry in NAVIGATION),
    _Command("blocked", "Blocked people"),
    _Command("password", "Change the password"),
    _Command("sessions", "Browsers", "sessions devices signed in"),
    _Command("tokens", "Access tokens", "programs api"),
    _Command("looks", "Looks by administrators", "privacy staff read messages"),
    _Command("privacy", "Who can read what", "privacy administrators staff"),
    _Command("keys", "Keys", "keyboard shortcuts help"),
    _Command("sign_out", "Sign out", "log out leave", is_form=True),
)


_FOR_STAFF: Final = _Command("administration", "Administration", "admin people numbers")


def places(*, reader: UserId, typed: str, is_staff: bool = False) -> list[Place]:
    """Conversations, people and commands that have `typed` in their names, the best first.

    Names that begin with it come first, then those in which a word does, then the
    others. An empty text is in the names of the latest conversations, and of commands.
    """
    wanted = fold(typed.strip()[:_LONGEST_TYPED])
    if not is_storable(wanted):
        return []
    found = [*_conversations_and_people(reader, wanted), *_commands(wanted, is_staff)]
    return sorted(found, key=lambda place: _rank(fold(place.name), wanted))


def _rank(name: str, wanted: str) -> int:
    if name.startswith(wanted):
        return 0
    return 1 if f" {wanted}" in name else 2


def _conversations_and_people(reader: UserId, wanted: str) -> Iterator[Place]:
    summaries = conversation_page(
        reader=reader, cursor=None, limit=_MOST, matching=wanted or None
    ).items
    yield from map(_conversation, summaries)
    if wanted:
        yield from _people(reader, wanted, summaries)


def _conversation(summary: ConversationSummary) -> Place:
    path = reverse("conversation", args=[summary.id])
    key = f"conversation-{summary.id}"
    if summary.participant is None:
        return Place("Group", key, summary.title, path)
    other = summary.participant
    return Place(
        "Conversation", key, other.display_name, path, details=f"@{other.username}"
    )


def _people(
    reader: UserId, wanted: str, summaries: Iterable[ConversationSummary]
) -> Iterator[Place]:
    """People one does not have a conversation with among those found."""
    known = {each.participant.id for each in summaries if each.participant} | {reader}
    for person in search_users(typed=wanted, cursor=None, limit=_MOST).items:
        if person.pk not in known:
            yield Place(
                "Person",
                f"person-{person.pk}",
                person.display_name,
                reverse("person", args=[person.username]),
                details=f"@{person.username}",
            )


def _commands(wanted: str, is_staff: bool) -> Iterator[Place]:
    for command in (*_COMMANDS, _FOR_STAFF) if is_staff else _COMMANDS:
        if wanted in fold(f"{command.label} {command.words}"):
            yield Place(
                "Command",
                f"command-{command.url_name}",
                command.label,
                reverse(command.url_name),
                is_form=command.is_form,
            )
