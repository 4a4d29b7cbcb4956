"""Both clients do everything that the document describes."""

import logging
import re
import runpy
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import anyio
import pytest
from django.conf import settings

from generator.sync import synchronous
from tests.client import story
from tests.contract.document import operations
from tests.live_server import LiveServer

pytestmark = pytest.mark.django_db

# Tested over connections of their own: they wait.
EVENTS: Final = {"conversations_typing", "events_poll", "events_stream"}

_REQUEST: Final = re.compile(r"HTTP Request: (\w+) http://[^/]+/api/v1([^ ?]*)")


@pytest.fixture
def stage(server: LiveServer) -> story.Stage:
    run = subprocess.run(
        [sys.executable, "manage.py", "create_service_token", secrets.token_hex(4)],
        env=server.environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    suffix = secrets.token_hex(4)
    names = (f"ann-{suffix}", f"bob-{suffix}", f"cleo-{suffix}")
    return story.Stage(server.urls[0], run.stdout.split()[-1], names)


def play_asynchronously(stage: story.Stage, folder: Path) -> None:
    anyio.run(story.play, stage)


def play_synchronously(stage: story.Stage, folder: Path) -> None:
    told = folder / "story.py"
    told.write_text(synchronous(Path(story.__file__)))
    runpy.run_path(str(told))["play"](stage)


@pytest.mark.parametrize("play", [play_asynchronously, play_synchronously])
def test_every_operation_works(
    play: Callable[[story.Stage, Path], None],
    stage: story.Stage,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "httpx"):
        play(stage, tmp_path)
    used = set(_operations_of(caplog.messages))
    assert used | EVENTS == {operation.id for operation in operations()} | EVENTS


def _operations_of(messages: list[str]) -> Iterator[str]:
    """What httpx says that it asked for."""
    for method, path in _REQUEST.findall("\n".join(messages)):
        for operation in sorted(operations(), key=lambda known: "{" in known.path):
            pattern = re.sub(r"\{\w+\}", "[^/]+", operation.path)
            if operation.method == method and re.fullmatch(pattern, path):
                yield operation.id
                break
