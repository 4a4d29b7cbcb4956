"""A terminal without a window, for programs that read from one."""

import os
import pty
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from select import select
from typing import Final

_TIMEOUT: Final = 300


class Terminal:
    """One end is the person's, the other the program's."""

    def __init__(self) -> None:
        self._person, self._program = pty.openpty()
        self._unread = ""

    def start(
        self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path
    ) -> "subprocess.Popen[bytes]":
        """Start the program: the leader of a session that this terminal controls."""
        process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            env=environment,
            cwd=folder,
            stdin=self._program,
            stdout=self._program,
            stderr=self._program,
        )
        os.close(self._program)
        return process

    def type(self, text: str) -> None:
        os.write(self._person, text.encode())

    def read_until(self, text: str) -> str:
        """Wait for an output, and return what came before it."""
        deadline = time.monotonic() + _TIMEOUT
        while text not in self._unread:
            shown, _, _ = select([self._person], [], [], deadline - time.monotonic())
            assert shown, f"never showed {text!r}: {self._unread}"
            self._unread += os.read(self._person, 4096).decode(errors="replace")
        before, _, self._unread = self._unread.partition(text)
        return before

    def close(self) -> None:
        """Close the terminal, which sends SIGHUP to all that run in it."""
        os.close(self._person)
