"""Reads the script of the demo, `talk.txt`: its people, conversations and messages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Final

# Usernames and display names; the first user is the one to sign in as.
PEOPLE: Final = {
    "maya": "Maya Lindqvist",
    "jonas": "Jonas Weber",
    "amina": "Amina Diallo",
    "tomas": "Tomás Herrera",
    "lucia": "Lucia Romano",
    "kenji": "Kenji Mori",
    "ines": "Inês",
    "zeynep": "Zeynep",
    "nora": "Nora",
    "felix": "Felix",
    "ruth": "Ruth",
    "marek": "Marek",
    "priya": "Priya",
    "oskar": "Oskar",
    "samuel": "Samuel",
    "hugo": "Hugo",
    "leila": "Leila",
    "dario": "Dario",
    "hana": "Hana",
    "ben": "Ben",
    "olga": "Olga",
    "carmen": "Carmen",
    "idris": "Idris",
    "freya": "Freya",
    "paulo": "Paulo",
    "anton": "Anton",
    "mei": "Mei",
    "joel": "Joel",
    "salma": "Salma",
    "viktor": "Viktor",
}

# The group that the user to sign in as has muted.
MUTED: Final = "Book club"

_TALK: Final = Path(__file__).with_name("talk.txt")
# The pauses between messages are random, and the same in every demo.
_SEED: Final = 30
_LONGEST_PAUSE: Final = 9 * 60

_HEADING: Final = re.compile(r"== (?:(?P<title>.+): )?(?P<usernames>[a-z, ]+)")
_START: Final = re.compile(
    r"-- (?P<count>\d+) (?P<unit>days|hours|minutes) ago(?:, (?P<clock>\d\d:\d\d))?"
)
_LINE: Final = re.compile(
    r"(?P<indent> *)(?P<sender>[a-z]+)"
    r"(?: \[(?P<name>\w+)\]| -> (?P<reply_to>\w+))?: (?P<text>.+)"
)


@dataclass(frozen=True, slots=True)
class ScriptedConversation:
    """A group with its owner first, or without a title a direct conversation."""

    title: str | None
    usernames: Sequence[str]


@dataclass(frozen=True, slots=True)
class ScriptedMessage:
    """`versions` are its contents, oldest first: it was edited if there are several.

    `parent` is the number of the message that it replies to.
    """

    number: int
    conversation: ScriptedConversation
    sender: str
    versions: Sequence[str]
    sent_at: datetime
    parent: int | None
    unread: bool


@dataclass(slots=True)
class _Place:
    """What the lines above decide about the next one."""

    conversation: ScriptedConversation
    unread: bool = False
    # The numbers of the messages that the next line may reply to, by their indentation.
    above: dict[int, int] = field(default_factory=dict)


def read_script(now: datetime) -> list[ScriptedMessage]:
    """All messages in the order in which they are sent; the last were sent just now."""
    _, *conversations = re.split(
        r"^(?=== )", _TALK.read_text("utf-8"), flags=re.MULTILINE
    )
    random = Random(_SEED)  # noqa: S311  # decides pauses
    messages: list[ScriptedMessage] = []
    names: dict[str, int] = {}
    for written in conversations:
        heading, *exchanges = re.split(r"^(?=-- )", written, flags=re.MULTILINE)
        place = _Place(_conversation(heading))
        for exchange in exchanges:
            start, *lines = exchange.split("\n")
            times = _times(start, len(lines), now, random)
            place.above.clear()
            for line in filter(None, lines):
                if line == "~~":
                    place.unread = True
                    continue
                messages.append(
                    _message(line, len(messages), next(times), place, names)
                )
    return sorted(messages, key=lambda message: message.sent_at)


def _conversation(heading: str) -> ScriptedConversation:
    found = _matched(_HEADING, heading.strip().split("\n")[0])
    return ScriptedConversation(found["title"], tuple(found["usernames"].split(", ")))


def _times(start: str, count: int, now: datetime, random: Random) -> Iterator[datetime]:
    """The moments of an exchange, none of them in the future."""
    moment = _began_at(start, now)
    longest = min(_LONGEST_PAUSE, int((now - moment).total_seconds()) // (count + 1))
    for _ in range(count):
        yield moment
        moment += timedelta(seconds=random.randint(longest // 9, longest))


def _began_at(start: str, now: datetime) -> datetime:
    found = _matched(_START, start)
    moment = now - timedelta(**{found["unit"]: int(found["count"])})
    if clock := found["clock"]:
        moment = datetime.combine(moment, time.fromisoformat(clock), moment.tzinfo)
    return moment


def _message(
    line: str, number: int, sent_at: datetime, place: _Place, names: dict[str, int]
) -> ScriptedMessage:
    found = _matched(_LINE, line)
    indent = len(found["indent"])
    if name := found["name"]:
        names[name] = number
    reply_to: str | None = found["reply_to"]
    parent = names[reply_to] if reply_to else place.above.get(indent - 2)
    place.above[indent] = number
    return ScriptedMessage(
        number=number,
        conversation=place.conversation,
        sender=found["sender"],
        versions=found["text"].replace(r"\n", "\n").split(" => "),
        sent_at=sent_at,
        parent=parent,
        unread=place.unread,
    )


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(
            f"The script of the demo has a line that means nothing: {text}"
        )
    return found
