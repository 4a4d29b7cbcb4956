"""The first run over several real processes."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.live.concurrent_calls import concurrently
from tests.live_server import PASSWORD, LiveServer, served_database

PROCESSES = 3
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


def command(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=environment,
        cwd=settings.BASE_DIR,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def opened(server: LiveServer, process: int) -> tuple[httpx.Client, str]:
    """A browser at the page of the first run, and the page's token."""
    browser = httpx.Client(base_url=server.urls[process], timeout=60)
    server.clients.append(browser)
    token = _CSRF.search(browser.get("/setup").raise_for_status().text)
    assert token
    return browser, token[1]


@pytest.mark.django_db
def test_of_many_with_the_code_one_becomes_the_administrator(tmp_path: Path) -> None:
    with served_database(tmp_path) as environment:
        code = command(environment, "setup_code")
        server = LiveServer.start(environment, processes=PROCESSES)
        try:
            # The same after a start, and in each process.
            assert command(environment, "setup_code") == code
            browsers = [opened(server, number % PROCESSES) for number in range(6)]
            answers = concurrently(
                *(
                    partial(
                        browser.post,
                        "/setup",
                        data={
                            "code": code,
                            "server_name": f"Place {number}",
                            "username": f"person{number}",
                            "password": PASSWORD,
                            "csrfmiddlewaretoken": token,
                        },
                    )
                    for number, (browser, token) in enumerate(browsers)
                )
            )
            winners = [answer for answer in answers if answer.status_code == 302]
            others = Counter(
                answer.status_code for answer in answers if answer.status_code != 302
            )
            assert len(winners) == 1
            assert set(others) <= {404, 409}
            assert browsers[0][0].get("/setup").status_code == 404
        finally:
            server.stop()
        count = "from messaging.models import User; print(User.objects.count())"
        assert command(environment, "shell", "--verbosity", "0", "-c", count) == "1"
