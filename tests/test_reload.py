"""`scripts/serve --reload`, over a copy of the code that is changed while it is served."""

import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from typing_extensions import override

from tests.live.concurrent_calls import send, start_group
from tests.live.event_stream import ReceivedEvent, logged, open_stream, until
from tests.live_server import LiveServer, served_database
from tests.terminal import Terminal

pytestmark = pytest.mark.skipif("not shutil.which('setsid')")

TIMEOUT = 300
FOR_A_MESSAGE = ["message.created", "notification.created"]
CTRL_C = "\x03"
URLS = "config/urls.py"
GREETING = """
from django.http import HttpRequest, HttpResponse

def greeting(request: HttpRequest) -> HttpResponse:
    {before}
    return HttpResponse("{text}")

urlpatterns.append(path("greeting", greeting))
"""


class ReloadingServer(LiveServer):
    """A copy of the code, served at a terminal for somebody who works on it."""

    def __init__(self, environment: Mapping[str, str], tree: Path) -> None:
        super().__init__(environment)
        self.terminal = Terminal()
        self.tree = tree
        copy_code(to=tree)
        self.add_process()

    def add(self, text: str, *, to: str) -> None:
        self._write((self.tree / to).read_text() + text, to=to)

    def greet(self, text: str, *, before: str = "...") -> None:
        """Let /greeting answer with this, once the server has restarted."""
        urls = (settings.BASE_DIR / URLS).read_text()
        self._write(urls + GREETING.format(text=text, before=before), to=URLS)
        self.await_restart()

    def _write(self, text: str, *, to: str) -> None:
        # Renaming it is one change. Emptying a file and writing to it are two, and on a
        # busy machine two restarts: the second cuts off what a test asks after the first.
        written = self.tree / "written"
        written.write_text(text)
        written.replace(self.tree / to)

    def await_restart(self) -> None:
        self.terminal.read_until("Changes detected")
        self.terminal.read_until("Started worker")

    def await_answer(self, path: str, *, containing: str) -> None:
        def is_answered() -> bool:
            try:
                answer = httpx.get(self.urls[0] + path, follow_redirects=True)
            except httpx.TransportError:
                return False
            return containing in answer.text

        await_that(is_answered)

    def await_end(self) -> None:
        """Wait for the end of the script, and find nothing left that it started."""
        session = self.processes[0].pid
        self.processes[0].wait(TIMEOUT)
        with pytest.raises(ProcessLookupError):
            os.killpg(session, 0)

    @override
    def _spawn(self, url: str) -> "subprocess.Popen[bytes]":
        return self.terminal.start(
            ["scripts/serve", "--reload", "--port", url.rpartition(":")[2]],
            environment=self.environment,
            folder=self.tree,
        )


def copy_code(*, to: Path) -> None:
    for name in (*packages(), "scripts"):
        shutil.copytree(settings.BASE_DIR / name, to / name)
    shutil.copy(settings.BASE_DIR / "manage.py", to)
    # What the script would install is what runs this test.
    (to / "scripts/.environment").write_text(
        f'prepare_environment() {{ PATH="{sys.prefix}/bin:$PATH"; }}\n'
    )


def packages() -> list[str]:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    roots: list[str] = project["tool"]["importlinter"]["root_packages"]
    return sorted({*roots} - {"bench", "tests"})


def types(received: Iterable[ReceivedEvent]) -> list[str]:
    return [each.type for each in received]


def await_that(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, str]]:
    with served_database(tmp_path_factory.mktemp("data")) as served:
        # Of the copy there is nothing to measure.
        yield {
            name: value
            for name, value in served.items()
            if not name.startswith("COVERAGE_")
        }


@pytest.fixture(scope="module")
def server(
    environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReloadingServer]:
    served = ReloadingServer(environment, tmp_path_factory.mktemp("tree"))
    yield served
    served.stop()


def test_every_package_is_watched() -> None:
    script = (settings.BASE_DIR / "scripts/serve").read_text()
    assert f"for package in {' '.join(packages())}; do" in script


def test_what_is_changed_is_served(server: ReloadingServer) -> None:
    server.greet("as changed")
    server.await_answer("/greeting", containing="as changed")
    server.add("<!-- changed -->", to="chats/templates/chats/base.html")
    server.await_restart()
    # The page of a first run, or, once other tests have registered people, sign-in.
    server.await_answer("/", containing="<!-- changed -->")
    server.add("/* changed */", to="chats/static/chats/parley.css")
    server.await_restart()
    server.await_answer("/static/chats/parley.css", containing="/* changed */")


def test_after_an_error_the_server_waits_for_the_next_change(
    server: ReloadingServer,
) -> None:
    server.add("\nthis is no Python\n", to=URLS)
    traceback = server.terminal.read_until("SyntaxError")
    assert URLS in traceback
    server.greet("mended")
    server.await_answer("/greeting", containing="mended")


def test_a_stream_goes_on_where_a_restart_broke_it_off(server: ReloadingServer) -> None:
    ann, bob = (server.register(name) for name in ("ann", "bob"))
    group = start_group(server.client(person=ann), bob)
    with open_stream(server.client(person=bob)) as received:
        ready = next(logged(received))
        server.greet("while bob listens")
        assert types(logged(received)) == ["reconnect"]
    server.await_answer("/greeting", containing="while bob listens")
    send(server.client(person=ann), group, "while nobody listens")
    with open_stream(server.client(person=bob), ready.id) as received:
        assert types(until(logged(received), "notification.created")) == FOR_A_MESSAGE
        send(server.client(person=ann), group, "while bob listens again")
        assert types(until(logged(received), "notification.created")) == FOR_A_MESSAGE


def test_no_page_is_kept_over_a_restart(server: ReloadingServer) -> None:
    """It may be made from other templates, though nothing of its conversation changed."""
    ann, bob = (server.register(name) for name in ("ann", "bob"))
    client = server.client(person=ann)
    path = f"/conversations/{start_group(client, bob)}/messages"
    kept = {"If-None-Match": client.get(path).headers["ETag"]}
    assert client.get(path, headers=kept).status_code == 304
    server.greet("from other templates")
    server.await_answer("/greeting", containing="from other templates")
    assert client.get(path, headers=kept).status_code == 200


def test_ctrl_c_ends_all_of_it(environment: Mapping[str, str], tmp_path: Path) -> None:
    server = ReloadingServer(environment, tmp_path)
    server.terminal.type(CTRL_C)
    server.await_end()


def test_a_breakpoint_opens_a_debugger_at_the_terminal(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    server = ReloadingServer(environment, tmp_path)
    server.greet("after the debugger", before="breakpoint()")
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(httpx.get, server.urls[0] + "/greeting", timeout=TIMEOUT)
        server.terminal.read_until("(Pdb)")
        server.terminal.type("p 6 * 7\n")
        server.terminal.read_until("42")
        server.terminal.type("continue\n")
        assert answer.result().text == "after the debugger"
    # With its window goes all that runs in it.
    server.terminal.close()
    server.await_end()
