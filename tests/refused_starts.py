"""Starts that are refused: with one line, and nothing else."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from tests.live_server import free_port
from tests.programs import run

# In what tests set, and in no line.
SECRET: Final = "sesame-sesame"


def worker(
    environment: Mapping[str, str], *_command: str
) -> "subprocess.CompletedProcess[str]":
    return run(
        environment,
        *(sys.executable, "-m", "granian", "--interface", "asgi"),
        *("--port", str(free_port()), "--workers", "1", "--log-level", "critical"),
        "config.asgi:application",
    )


def refusal(process: "subprocess.CompletedProcess[str]") -> str:
    """The one line on standard error; nothing else was written."""
    assert process.returncode != 0
    assert process.stdout == ""
    (line,) = process.stderr.splitlines()
    assert line.startswith("parley: ")
    assert SECRET not in line
    return line
