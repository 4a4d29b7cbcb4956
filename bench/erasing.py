"""The cost of erasing deleted bytes: this checkout and another one, request by request.

`python -m bench.erasing --beside FOLDER` starts a server for each checkout, over a
fresh SQLite database. One client sends, edits and deletes; it alternates between the
two servers after each request, so that whatever else the machine does slows both alike,
and neither server idles.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from bench.servers import free_port

_ROOT: Final = Path(__file__).resolve().parent.parent
_PATIENCE: Final = 60

Times = dict[str, list[float]]


class Site:
    """A server of one checkout, and a conversation on it."""

    def __init__(self, url: str) -> None:
        self._api = httpx.Client(base_url=f"{url}/api/v1", timeout=_PATIENCE)
        self.times: Times = {"send": [], "edit": [], "delete": []}
        self._register("bob")
        self._api.headers["Authorization"] = f"Bearer {self._register('ann')}"

    def _register(self, name: str) -> str:
        account = {"username": name, "password": secrets.token_urlsafe()}
        made = self._api.post("/auth/register", json=account).raise_for_status()
        return str(made.json()["token"])

    def send(self) -> int:
        text = "message " * 30
        return self._timed("send", "POST", "/messages", receiver="bob", content=text)

    def edit(self, message: int) -> None:
        self._timed("edit", "PATCH", f"/messages/{message}", content="edited " * 50)

    def delete(self, message: int) -> None:
        self._timed("delete", "DELETE", f"/messages/{message}")

    def _timed(self, deed: str, method: str, path: str, **body: str) -> int:
        began = time.perf_counter()
        answer = self._api.request(method, path, json=body or None)
        self.times[deed].append(time.perf_counter() - began)
        answer.raise_for_status()
        return int(answer.json()["id"]) if answer.content else 0


@contextmanager
def served(checkout: Path, folder: Path) -> Iterator[Site]:
    environment = {
        **os.environ,
        "PARLEY_DATA_DIR": str(folder),
        "PARLEY_RATE_LIMITS": "off",
        "PARLEY_LOG_LEVEL": "WARNING",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=checkout,
        env=environment,
        check=True,
    )
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = ["-m", "granian", "--interface", "asgi", "--port", str(port)]
    command += ["--workers", "2", "--log-level", "warning", "config.asgi:application"]
    process = subprocess.Popen(
        [sys.executable, *command], cwd=checkout, env=environment
    )
    try:
        _await_ready(url)
        yield Site(url)
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/readyz").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


def _round(sites: list[Site], messages: int) -> None:
    sent = [[(site, site.send()) for site in sites] for _ in range(messages)]
    for pair in sent:
        for site, message in pair:
            site.edit(message)
    for pair in sent:
        for site, message in pair:
            site.delete(message)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, required=True, help="another checkout")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--messages", type=int, default=150, help="in each round")
    options = parser.parse_args()
    with ExitStack() as stack:
        sites = {
            name: stack.enter_context(
                served(checkout, Path(stack.enter_context(TemporaryDirectory())))
            )
            for name, checkout in (("beside", options.beside), ("here", _ROOT))
        }
        for _ in range(options.rounds):
            _round(list(sites.values()), options.messages)
    print("| | median there, ms | here | mean there | here | of the pace |")
    print("|---|--:|--:|--:|--:|--:|")
    for deed in ("send", "edit", "delete"):
        there, here = sites["beside"].times[deed], sites["here"].times[deed]
        means = [1000 * sum(times) / len(times) for times in (there, here)]
        print(
            f"| {deed} | {1000 * median(there):.2f} | {1000 * median(here):.2f}"
            f" | {means[0]:.2f} | {means[1]:.2f} | {means[0] / means[1]:.2f} |"
        )


if __name__ == "__main__":
    main()
