"""Parley's own programs, run to their end."""

import subprocess
import sys
from collections.abc import Mapping

from django.conf import settings

TIMEOUT = 300


def manage(
    environment: Mapping[str, str], *arguments: str
) -> "subprocess.CompletedProcess[str]":
    return run(environment, sys.executable, "manage.py", *arguments)


def run(
    environment: Mapping[str, str], *command: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
