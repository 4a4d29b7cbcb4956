"""The `parley` command, as a process of its own."""

import os
import re
import secrets
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from parley_client import Parley
from parley_client.cli import SignedIn, main
from tests.client.frames import ANN, created, frame, message
from tests.client.sse_server import ScriptedConnection, event_server
from tests.live_server import PASSWORD, LiveServer, Person

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where somebody runs the command."""

    home: Path

    @property
    def kept(self) -> Path:
        return self.home / "parley" / "sign-in.json"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "parley_client", *arguments],
            env={
                **os.environ,
                "XDG_CONFIG_HOME": str(self.home),
                "PYTHONPATH": str(settings.BASE_DIR / "client" / "src"),
                "PYTHONIOENCODING": "utf-8",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, stdin: str = "") -> str:
        process = self.start(*arguments)
        out, wrong = process.communicate(stdin)
        assert (process.returncode, wrong) == (0, ""), wrong
        return out

    def refused(self, *arguments: str, stdin: str = "") -> str:
        process = self.start(*arguments)
        out, wrong = process.communicate(stdin)
        assert (process.returncode, out) == (1, "")
        return wrong

    def parley(self) -> Parley:
        kept = SignedIn.model_validate_json(self.kept.read_bytes())
        return Parley(kept.url, token=kept.token)

    def sign_in(self, url: str, person: Person) -> None:
        self.run("sign-in", url, person.username, "--password-stdin", stdin=PASSWORD)


@pytest.fixture
def of_ann(tmp_path: Path, server: LiveServer, ann: Person) -> Terminal:
    terminal = Terminal(tmp_path / "ann")
    terminal.sign_in(server.urls[0], ann)
    return terminal


@pytest.fixture
def of_bob(tmp_path: Path, server: LiveServer, bob: Person) -> Terminal:
    terminal = Terminal(tmp_path / "bob")
    terminal.sign_in(server.urls[0], bob)
    return terminal


def test_two_people_talk(
    of_ann: Terminal, of_bob: Terminal, ann: Person, bob: Person
) -> None:
    sent = of_ann.run("send", bob.username, "Is this thing on?")
    assert sent.endswith(f"{ann.username}: Is this thing on?\n")
    assert re.fullmatch(rf" *\d+  {ann.username} \(1\)\n", of_bob.run("list"))
    of_bob.run("send", ann.username, "-", stdin="Loud\nand clear.")
    read = of_bob.run("read", ann.username)
    assert read.index("thing on?") < read.index("Loud\nand clear.")
    assert re.fullmatch(rf" *\d+  {ann.username}\n", of_bob.run("list"))
    number = of_bob.run("list").split()[0]
    assert of_bob.run("read", number, "-n", "1").count("\n") == 2


def _group(owner: Terminal, member: Person, title: str) -> int:
    """A group, and a message in it."""
    with owner.parley() as parley:
        group = parley.conversations.start_group(title, [member.username])
        group.send("Ahoy")
        return group.id


def test_a_group_is_read_by_the_title_that_is_listed(
    of_ann: Terminal, of_bob: Terminal, bob: Person
) -> None:
    title = f"Crew {secrets.token_hex(4)}"
    number = _group(of_ann, bob, title)
    assert of_bob.run("list").splitlines()[0].split(maxsplit=1) == [
        str(number),
        f"{title} (1)",
    ]
    assert "Ahoy" in of_bob.run("read", title)
    assert of_bob.run("send", title, "Aye").endswith("Aye\n")


def test_a_group_is_not_taken_for_the_person_of_its_title(
    of_ann: Terminal, of_bob: Terminal, ann: Person, bob: Person
) -> None:
    number = _group(of_ann, bob, ann.username)
    said = of_bob.refused("send", ann.username, "a secret")
    assert f"@{ann.username}" in said
    assert str(number) in said
    assert "a secret" not in of_bob.run("read", str(number))
    of_bob.run("send", f"@{ann.username}", "a secret")


def test_what_is_muted_is_listed_as_such(
    of_ann: Terminal, of_bob: Terminal, bob: Person
) -> None:
    title = f"Crew {secrets.token_hex(4)}"
    number = _group(of_ann, bob, title)
    with of_bob.parley() as parley:
        parley.conversations.get(number).mute()
    assert f"{title} (1, muted)" in of_bob.run("list")


def test_the_token_is_kept_for_its_owner_alone(of_ann: Terminal) -> None:
    assert stat.S_IMODE(of_ann.kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(of_ann.kept.parent.stat().st_mode) == 0o700


def test_signing_out_revokes_and_forgets(of_ann: Terminal) -> None:
    kept = of_ann.kept.read_bytes()
    of_ann.run("sign-out")
    assert not of_ann.kept.exists()
    assert "Sign in first" in of_ann.refused("list")
    of_ann.kept.write_bytes(kept)
    assert "not_authenticated" in of_ann.refused("list")


def test_a_refusal_is_a_line(of_ann: Terminal, server: LiveServer, ann: Person) -> None:
    nobody = f"nobody-{secrets.token_hex(4)}"
    said = of_ann.refused("send", nobody, "hello")
    assert said.startswith("parley: There is no such person.")
    assert said.count("\n") == 1
    wrong = of_ann.refused(
        *("sign-in", server.urls[0], ann.username, "--password-stdin"), stdin="wrong"
    )
    assert "sign_in_failed" in wrong


def test_what_would_command_the_terminal_is_not_shown(
    of_ann: Terminal, of_bob: Terminal, ann: Person, bob: Person
) -> None:
    of_ann.run("send", bob.username, "red \x1b[31m and \x9b a bell \x07")
    read = of_bob.run("read", ann.username)
    assert "red �[31m and � a bell �\n" in read


def test_watching_shows_what_happens(tmp_path: Path) -> None:
    frames = [frame("ready", "c0"), created(1, "hello")]
    begun, said = watched(Terminal(tmp_path), frames, 2)
    assert begun == "Watching; Ctrl+C ends it."
    assert said.endswith("ann: hello")


def test_every_kind_of_event_is_shown(tmp_path: Path) -> None:
    group = {
        "id": 7,
        "kind": "group",
        "title": "Team",
        "participant": None,
        "participant_count": 2,
        "role": "member",
        "muted": False,
        "hidden": False,
        "created_at": "2026-01-01T10:00:00Z",
        "last_activity_at": "2026-01-01T10:00:00Z",
        "last_sequence": 0,
        "last_message": None,
        "unread_count": 0,
        "badge_count": 0,
    }
    change = {"conversation_id": 7, "user": ANN}
    span = {"conversation_id": 7, "reader": ANN, "from_sequence": 1}
    gone = {"conversation_id": 7, "message_id": 3, "sequence": 3, "message": None}
    notified = {
        "id": 1,
        "kind": "message",
        "message": message(1),
        "created_at": "2026-01-01T10:00:00Z",
        "is_read": False,
        "silent": False,
    }
    frames = [
        frame("message.edited", "1", message=message(1)),
        frame("message.deleted", "2", **gone),
        frame("message.read", "3", **span, up_to_sequence=2),
        frame("message.unread", "4", **span, up_to_sequence=2),
        frame("notification.created", "5", notification=notified),
        frame("conversation.created", "6", conversation=group),
        frame("conversation.updated", "7", conversation=group),
        frame("conversation.reset", "8", conversation=group),
        frame("conversation.deleted", "9", conversation_id=7),
        frame("participant.added", "10", **change),
        frame("participant.removed", "11", **change),
        frame("user.updated", "12", user=ANN),
        frame("typing", **change, typing=True),
        frame("typing", **change, typing=False),
        frame("presence", user=ANN, online=True),
        frame("reset", "13"),
    ]
    lines = watched(Terminal(tmp_path), frames, 13)
    assert lines[0].endswith("ann: hello (edited)")
    assert lines[1:] == [
        "[7] message 3 was deleted",
        "[7] ann has read up to 2",
        "[7] Team began",
        "[7] Team changed",
        "[7] Team: someone's messages went",
        "[7] is gone",
        "[7] ann came",
        "[7] ann left",
        "ann is now called Ann",
        "[7] ann is writing …",
        "ann is here",
        "Some of what happened is too long ago to be told.",
    ]


def watched(terminal: Terminal, frames: list[bytes], count: int) -> list[str]:
    """The first lines that `parley watch` shows of these frames."""
    with event_server(ScriptedConnection(frames, held=True)) as server:
        terminal.kept.parent.mkdir(parents=True)
        terminal.kept.write_text(
            f'{{"url": "{server.url}", "username": "ann", "token": "secret"}}'
        )
        process = terminal.start("watch")
        assert process.stdout is not None
        lines = [process.stdout.readline().rstrip("\n") for _ in range(count)]
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 130
    return lines


def test_help_needs_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("sign-in", "list", "read", "send", "watch"))
