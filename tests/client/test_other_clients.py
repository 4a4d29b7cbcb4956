"""The document as the generators of other clients take it, to the round trip."""

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

from tests.live_server import LiveServer

TYPESCRIPT: Final = settings.BASE_DIR / "tests" / "typescript"
PYTHON: Final = settings.BASE_DIR / "tests" / "client"

# In continuous integration nothing is left out.
needs_npm = pytest.mark.skipif(
    shutil.which("npm") is None and "CI" not in os.environ,
    reason="There is no npm on this machine.",
)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What the command says; it must succeed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def names() -> tuple[str, str]:
    suffix = secrets.token_hex(4)
    return f"ann-{suffix}", f"bob-{suffix}"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    run(
        *(sys.executable, "manage.py", "export_openapi_schema"),
        *("--api", "api.application.api", "--output", path),
        cwd=settings.BASE_DIR,
    )
    return path


@pytest.fixture(scope="module")
def python_client(document: Path) -> Path:
    """By openapi-python-client, which takes a warning for a failure."""
    folder = document.parent
    said = run(
        *(
            sys.executable,
            "-m",
            "openapi_python_client",
            "generate",
            "--fail-on-warning",
        ),
        *("--meta", "none", "--config", PYTHON / "openapi-python-client.yml"),
        *("--path", document, "--output-path", folder / "parley_generated"),
        cwd=folder,
    )
    assert "arning" not in said
    shutil.copy(PYTHON / "generated_round_trip.py", folder)
    return folder


def test_the_generated_python_client_is_strictly_typed(python_client: Path) -> None:
    run(
        *(sys.executable, "-m", "mypy", "--config-file=", "--strict"),
        *("parley_generated", "generated_round_trip.py"),
        cwd=python_client,
    )


@pytest.mark.django_db
def test_a_round_trip_with_the_generated_python_client(
    python_client: Path, server: LiveServer
) -> None:
    said = run(
        *(sys.executable, "generated_round_trip.py", server.urls[0], *names()),
        cwd=python_client,
    )
    assert said == "done\n"


@pytest.fixture(scope="module")
def typescript(document: Path) -> Path:
    """The locked packages, and the types that openapi-typescript generates."""
    folder = document.parent / "typescript"
    shutil.copytree(
        TYPESCRIPT, folder, ignore=shutil.ignore_patterns("node_modules", "build")
    )
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)
    said = run(
        *("npx", "--no", "openapi-typescript", document, "--output", "schema.d.ts"),
        cwd=folder,
    )
    assert "warn" not in said.lower().replace("npm warn", "")
    return folder


@needs_npm
@pytest.mark.django_db
def test_a_round_trip_with_the_generated_typescript_types(
    typescript: Path, server: LiveServer
) -> None:
    run("npx", "--no", "tsc", cwd=typescript)
    said = run(
        *("node", "build/round_trip.js", server.urls[0], *names()), cwd=typescript
    )
    assert said == "done\n"


def test_the_locked_packages_name_no_registry() -> None:
    assert '"resolved"' not in (TYPESCRIPT / "package-lock.json").read_text()
