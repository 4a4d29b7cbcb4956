"""The README's first conversation runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.live_server import LiveServer

README = settings.BASE_DIR / "client" / "README.md"


@pytest.mark.django_db
def test_the_first_conversation_runs_and_runs_again(server: LiveServer) -> None:
    for _ in range(2):
        _run_the_first_conversation(server)


def _run_the_first_conversation(server: LiveServer) -> None:
    program = _blocks()[0]
    assert "http://127.0.0.1:8000" in program
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            program.replace("http://127.0.0.1:8000", server.urls[0]),
        ],
        env={"PYTHONPATH": str(settings.BASE_DIR / "client" / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    assert run.stdout.splitlines() == [
        "Shall we play? → You begin, I have black.",
        "1 You begin.",
        "2 You begin, I have black.",
        "It was edited since: refresh it first.",
    ]


def test_what_the_readme_shows_is_typed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    program = tmp_path_factory.mktemp("readme") / "program.py"
    program.write_text("\n".join(_blocks()))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file=", "--strict"),
            *("--disallow-any-expr", str(program)),
        ],
        env={"MYPYPATH": str(settings.BASE_DIR / "client" / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_both_readmes_show_the_same_conversation() -> None:
    """As far as the main README shows it with the client."""
    examples = [
        block
        for block in _blocks(settings.BASE_DIR / "README.md")
        if "parley_client" in block
    ]
    assert examples in ([], _blocks()[:1])


def _blocks(readme: Path = README) -> list[str]:
    return re.findall(
        r"^```python\n(.*?)^```", readme.read_text(), re.DOTALL | re.MULTILINE
    )
