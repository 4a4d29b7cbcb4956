"""The code in tests/typing must not type-check, for the reasons it names."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from django.conf import settings

FOLDER: Final = Path("tests/typing")

_EXPECTED: Final = re.compile(r"# E: ([a-z-]+)")
_FOUND: Final = re.compile(r"^(.+?):(\d+): error: .* \[([a-z-]+)\]$", re.MULTILINE)

# File, line and error code.
Mistake = tuple[str, int, str]


def test_what_must_not_type_check_does_not() -> None:
    files = sorted(path.name for path in (settings.BASE_DIR / FOLDER).glob("*.py"))
    expected = [mistake for name in files for mistake in _expected(name)]
    assert len(expected) >= 40
    assert _found(files) == expected


def _expected(name: str) -> list[Mistake]:
    lines = (settings.BASE_DIR / FOLDER / name).read_text().splitlines()
    return [
        (name, number, code)
        for number, line in enumerate(lines, start=1)
        for code in _EXPECTED.findall(line)
    ]


def _found(names: list[str]) -> list[Mistake]:
    """By mypy as it checks everything else; its own run leaves these files out."""
    files = [str(FOLDER / name) for name in names]
    run = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--no-pretty", "--no-color-output"),
            # Not the one of scripts/check, which may run at the same time.
            *("--cache-dir", ".mypy_cache/tests-typing", *files),
        ],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    return sorted(
        (Path(path).name, int(line), code)
        for path, line, code in _FOUND.findall(run.stdout)
    )
