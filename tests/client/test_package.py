"""The distribution: what is in it, and that it stands on its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As pip installs it from the repository, with nothing beside it."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet"),
            *("--disable-pip-version-check", "--no-deps", "--no-build-isolation"),
            *("--target", str(folder), str(settings.BASE_DIR / "client")),
        ],
        check=True,
    )
    return folder


def test_it_is_typed_and_has_everything(installed: Path) -> None:
    source = settings.BASE_DIR / "client" / "src" / "parley_client"
    modules = {path.relative_to(source) for path in source.rglob("*.py")}
    there = {
        path.relative_to(installed / "parley_client")
        for path in (installed / "parley_client").rglob("*.py")
    }
    assert there == modules
    assert (installed / "parley_client" / "py.typed").exists()


def test_it_needs_httpx_and_pydantic_alone(installed: Path) -> None:
    [metadata] = installed.glob("parley_client-*.dist-info/METADATA")
    needed = re.findall(r"^Requires-Dist: ([\w-]+)", metadata.read_text(), re.MULTILINE)
    # The last two come with these anyway.
    assert set(needed) == {"httpx", "pydantic", "anyio", "typing-extensions"}


def test_it_imports_no_django_and_nothing_of_the_server(installed: Path) -> None:
    code = (
        "import sys; import parley_client, parley_client.cli; print(*("
        "name for name in sys.modules if name.partition('.')[0] in"
        " {'django', 'ninja', 'config', 'api', 'chats', 'edge', 'messaging'}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(installed)},
        cwd=installed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "\n"


def test_the_command_is_installed(installed: Path) -> None:
    run = subprocess.run(
        [installed / "bin" / "parley", "--help"],
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.startswith("usage: parley")
