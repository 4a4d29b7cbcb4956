"""Formats generated code like all other code."""

import subprocess
import sys
from pathlib import Path


def formatted(code: str, name: str) -> str:
    """Lint and format code. `name` is its module's path, which selects ruff's settings."""
    path = Path(__file__).parent.parent / "src" / "parley_client" / name
    ruff = [sys.executable, "-m", "ruff"]
    for arguments in (["check", "--fix-only", "--quiet"], ["format", "--quiet"]):
        code = subprocess.run(
            [*ruff, *arguments, f"--stdin-filename={path}", "-"],
            input=code,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return code
