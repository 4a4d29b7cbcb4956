"""Invite codes over several real processes."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

import pytest
from django.conf import settings

from tests.live_server import PASSWORD, LiveServer, served_database

PROCESSES = 3


def invite(environment: Mapping[str, str], *, uses: int) -> str:
    made = subprocess.run(
        [sys.executable, "manage.py", "create_invite", "--uses", str(uses)],
        env=environment,
        cwd=settings.BASE_DIR,
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip()


@pytest.mark.django_db
def test_a_code_used_by_many_at_once_opens_exactly_its_number_of_accounts(
    tmp_path: Path,
) -> None:
    with served_database(tmp_path) as served:
        environment = {**served, "PARLEY_REGISTRATION": "invite"}
        server = LiveServer.start(environment, processes=PROCESSES)
        try:
            code = invite(environment, uses=4)
            clients = [server.client(process) for process in range(PROCESSES)]

            def register(number: int) -> int:
                return (
                    clients[number % PROCESSES]
                    .post(
                        "/auth/register",
                        json={
                            "username": f"person{number}",
                            "password": PASSWORD,
                            "invite_code": code,
                        },
                    )
                    .status_code
                )

            with ThreadPoolExecutor(12) as threads:
                statuses = Counter(threads.map(register, range(12)))
        finally:
            server.stop()
    assert statuses == {HTTPStatus.CREATED: 4, HTTPStatus.FORBIDDEN: 8}
