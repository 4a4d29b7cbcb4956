"""Types hold in the programs of those who use the client."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from django.conf import settings

FOLDER: Final = Path("tests/client/typing")
SOURCE: Final = "client/src"

_EXPECTED: Final = re.compile(r"# E: ([a-z-]+)")
_FOUND: Final = re.compile(r"^.+?:(\d+): error: .* \[([a-z-]+)\]$", re.MULTILINE)


def mypy(cache: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """With a cache of its own: options that differ make each forget what the other kept."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--no-pretty", "--no-color-output"),
            *("--cache-dir", f".mypy_cache/tests-client-{cache}", *arguments),
        ],
        cwd=settings.BASE_DIR,
        env={"MYPYPATH": SOURCE},
        capture_output=True,
        text=True,
        check=False,
    )


def test_there_is_no_any_in_a_program_or_in_the_client() -> None:
    """As anybody's mypy has it, without a plugin; asked to be as strict as it can."""
    strict = ("--config-file=", "--strict", "--disallow-any-expr")
    run = mypy("strict", *strict, str(FOLDER / "example.py"), SOURCE)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_wrong_use_is_an_error() -> None:
    lines = (settings.BASE_DIR / FOLDER / "wrong.py").read_text().splitlines()
    expected = {
        (number, code)
        for number, line in enumerate(lines, start=1)
        for code in _EXPECTED.findall(line)
    }
    assert len(expected) >= 30
    run = mypy(
        "wrong", f"--config-file={FOLDER / 'mypy.ini'}", str(FOLDER / "wrong.py")
    )
    found = {(int(line), code) for line, code in _FOUND.findall(run.stdout)}
    assert expected <= found
    # What follows from a mistake stands in its line.
    assert {line for line, _ in found} == {line for line, _ in expected}
