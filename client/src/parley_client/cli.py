"""The `parley` command: sign in, list, catch up, read, send, watch."""

import argparse
import getpass
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final, assert_never

from pydantic import Field

from parley_client import errors
from parley_client._sync.catch_up import UnreadThread
from parley_client._sync.client import Parley
from parley_client._sync.conversations import Conversation
from parley_client._sync.events import (
    ConversationCreated,
    ConversationReset,
    ConversationUpdated,
    Event,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    NotificationCreated,
)
from parley_client.base import Model
from parley_client.models import (
    ConversationDeleted,
    MessageData,
    MessageRead,
    MessageUnread,
    ParticipantAdded,
    ParticipantRemoved,
    PresenceChanged,
    Ready,
    Reset,
    TypingChanged,
    UserUpdated,
)

_ENOUGH: Final = 20
_WHOM: Final = (
    "a username, or the title of a group or the number of a conversation as `parley list`"
    " shows them; @123 is a username"
)
_USERNAME: Final = re.compile(r"[A-Za-z0-9._-]+")


class SignedIn(Model):
    """The file that keeps a sign-in; only its owner can read it."""

    url: str
    username: str
    token: Annotated[str, Field(repr=False)]


class Arguments(argparse.Namespace):
    """The parsed command line."""

    run: "Command"
    url: str
    username: str
    password_stdin: bool
    who: str
    text: str
    count: int


Command = Callable[[Arguments], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; an error is one line on standard error."""
    try:
        parsed = _parser().parse_args(arguments, Arguments())
        parsed.run(parsed)
    except (errors.ParleyError, ValueError, OSError) as error:
        print(f"parley: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parley", description="Talk through Parley.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    entry = command("sign-in", _sign_in, "Sign in; the token is kept for you alone.")
    entry.add_argument("url", help="such as https://chat.example.org")
    entry.add_argument("username")
    entry.add_argument("--password-stdin", action="store_true")
    command("sign-out", _sign_out, "Revoke the token, and forget it.")
    command("list", _list, "List your conversations, the last active first.")
    command("catch-up", _catch_up, "Show what waits for you, and mark it read.")
    reading = command("read", _read, "Show the newest messages, and mark them read.")
    reading.add_argument("who", help=_WHOM)
    reading.add_argument("-n", dest="count", type=int, default=_ENOUGH)
    sending = command("send", _send, "Send a message.")
    sending.add_argument("who", help=_WHOM)
    sending.add_argument("text", help="what to say; - reads it from standard input")
    command("watch", _watch, "Show what happens, as it happens.")
    return parser


def _sign_in(arguments: Arguments) -> None:
    password = input() if arguments.password_stdin else getpass.getpass()
    with Parley.sign_in(
        arguments.url, arguments.username, password, name="parley command"
    ) as parley:
        _keep(
            SignedIn(
                url=parley.url,
                username=arguments.username,
                token=parley.token or "",
            )
        )
    print(f"Signed in to {parley.url} as {arguments.username}.")


def _sign_out(arguments: Arguments) -> None:
    with _parley() as parley:
        parley.tokens.revoke_current()
    _file().unlink()
    print("Signed out.")


def _list(arguments: Arguments) -> None:
    with _parley() as parley:
        for conversation in parley.conversations:
            unread = _unread(conversation)
            print(f"{conversation.id:>6}  {_title(conversation)}{unread}")


def _catch_up(arguments: Arguments) -> None:
    with _parley() as parley:
        for waiting in parley.catch_up:
            print(_title(waiting.conversation))
            for thread in waiting.threads:
                _show_thread(thread)
            waiting.conversation.mark_seen(waiting.messages)
            if waiting.next_cursor is not None:
                print("  More waits there: catch up again.")


def _show_thread(thread: UnreadThread) -> None:
    messages = [notification.message for notification in thread.notifications]
    if thread.root is not None and thread.root not in messages:
        print(f"  > {_line(thread.root)}")
    for message in messages:
        print(f"  {_line(message)}")


def _read(arguments: Arguments) -> None:
    with _parley() as parley:
        conversation = _conversation(parley, arguments.who)
        page = conversation.messages(page_size=arguments.count).page()
        # The list begins with the newest message; a terminal shows it last.
        for message in reversed(page.items):
            print(_line(message))
        conversation.mark_read()


def _send(arguments: Arguments) -> None:
    text = _standard_input() if arguments.text == "-" else arguments.text
    with _parley() as parley:
        print(_line(_conversation(parley, arguments.who).send(text)))


def _watch(arguments: Arguments) -> None:
    with _parley() as parley, parley.events() as events:
        for event in events:
            line = _described(event)
            if line is not None:
                print(line, flush=True)


def _described(event: Event) -> str | None:  # noqa: C901, PLR0911, PLR0912  # one case for each event
    match event:
        case MessageCreated(message=message):
            return f"[{message.conversation_id}] {_line(message)}"
        case MessageEdited(message=message):
            return f"[{message.conversation_id}] {_line(message)} (edited)"
        case MessageDeleted():
            return f"[{event.conversation_id}] message {event.sequence} was deleted"
        case MessageRead():
            return f"[{event.conversation_id}] {event.reader.username} has read up to {event.up_to_sequence}"
        case ConversationCreated(conversation=conversation):
            return f"[{conversation.id}] {_title(conversation)} began"
        case ConversationUpdated(conversation=conversation):
            return f"[{conversation.id}] {_title(conversation)} changed"
        case ConversationReset(conversation=conversation):
            return (
                f"[{conversation.id}] {_title(conversation)}: someone's messages went"
            )
        case ConversationDeleted():
            return f"[{event.conversation_id}] is gone"
        case ParticipantAdded(user=user):
            return f"[{event.conversation_id}] {user.username} came"
        case ParticipantRemoved(user=user):
            return f"[{event.conversation_id}] {user.username} left"
        case UserUpdated(user=user):
            return f"{user.username} is now called {_plain(user.display_name)}"
        case TypingChanged(user=user, typing=True):
            return f"[{event.conversation_id}] {user.username} is writing …"
        case PresenceChanged(user=user):
            return f"{user.username} is {'here' if event.online else 'away'}"
        case Ready():
            return "Watching; Ctrl+C ends it."
        case Reset():
            return "Some of what happened is too long ago to be told."
        case MessageUnread() | NotificationCreated() | TypingChanged():
            return None
        case _:
            assert_never(event)


def _line(message: MessageData) -> str:
    when = message.timestamp.astimezone().strftime("%Y-%m-%d %H:%M")
    if message.sender is None:
        return f"{when}  (deleted)"
    return f"{when}  {message.sender.username}: {_plain(message.content)}"


def _title(conversation: Conversation) -> str:
    if conversation.participant is None:
        return _plain(conversation.title)
    return conversation.participant.username


def _unread(conversation: Conversation) -> str:
    if conversation.badge_count:
        return f" ({conversation.badge_count})"
    return f" ({conversation.unread_count}, muted)" * (conversation.unread_count > 0)


def _plain(text: str) -> str:
    """Replace control characters: a message must not send commands to the terminal."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def _standard_input() -> str:
    with open(0, encoding="utf-8") as stdin:
        return stdin.read()


def _conversation(parley: Parley, who: str) -> Conversation:
    if who.isdecimal():
        return parley.conversations.get(int(who))
    titled = [] if who.startswith("@") else _titled(parley, who)
    if not titled:
        return parley.conversations.start(who.removeprefix("@"))
    if len(titled) > 1 or (titled[0].participant is None and _is_person(parley, who)):
        numbers = ", ".join(str(each.id) for each in titled)
        raise ValueError(
            f"More than one is called so: say @{who} for a person, or a number: {numbers}."
        )
    return titled[0]


def _titled(parley: Parley, who: str) -> list[Conversation]:
    return [each for each in parley.conversations if _title(each) == who]


def _is_person(parley: Parley, who: str) -> bool:
    """Whether a group could be taken for somebody: anyone may call a group so."""
    if not _USERNAME.fullmatch(who):
        return False
    found = parley.users.search(who)
    return any(user.username.lower() == who.lower() for user in found)


def _parley() -> Parley:
    try:
        kept = SignedIn.model_validate_json(_file().read_bytes())
    except FileNotFoundError:
        raise ValueError("Sign in first: parley sign-in URL USERNAME") from None
    return Parley(kept.url, token=kept.token)


def _keep(signed_in: SignedIn) -> None:
    """Store the sign-in in a new file, whose mode keeps other users from ever reading it."""
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A new file has the right mode from the start; an old one might have another.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(signed_in.model_dump_json())


def _file() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "parley" / "sign-in.json"
