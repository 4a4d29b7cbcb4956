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
from tests.client import every_operation
from tests.contract.document import operations
from tests.live_server import LiveServer

pytestmark = pytest.mark.django_db

# Tested over connections of their own: they wait.
EVENTS: Final = {"conversations_typing", "events_poll", "events_stream"}

_REQUEST: Final = re.compile(r"HTTP Request: (\w+) http://[^/]+/api/v1([^ ?]*)")


@pytest.fixture
def site(server: LiveServer) -> every_operation.Site:
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
    return every_operation.Site(server.urls[0], run.stdout.split()[-1], names)


def use_asynchronously(site: every_operation.Site, folder: Path) -> None:
    anyio.run(every_operation.use_every_operation, site)


def use_synchronously(site: every_operation.Site, folder: Path) -> None:
    script = folder / "every_operation.py"
    script.write_text(synchronous(Path(every_operation.__file__)))
    runpy.run_path(str(script))["use_every_operation"](site)


@pytest.mark.parametrize("use", [use_asynchronously, use_synchronously])
def test_every_operation_works(
    use: Callable[[every_operation.Site, Path], None],
    site: every_operation.Site,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "httpx"):
        use(site, tmp_path)
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
