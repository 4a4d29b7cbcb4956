"""Import contracts cover all packages, and test modules do not import each other."""

import ast
import configparser
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

BASE: Final[Path] = settings.BASE_DIR
# Files of a folder that stands beside the packages, and is checked by itself.
APART: Final = {"client", "typings", "docs", "requirements", "scripts", "findings"}

# Of a test module, on another.
EXCEPTIONS: Final = {
    ("live/test_deleted_bytes_postgresql.py", "tests.live.test_deleted_bytes")
}


def packages() -> set[str]:
    """Folders at the top that hold Python."""
    return {
        path.parent.name
        for path in BASE.glob("*/*.py")
        if not path.parent.name.startswith(".") and path.parent.name not in APART
    }


def test_every_package_is_bound_by_the_contracts() -> None:
    project = tomllib.loads((BASE / "pyproject.toml").read_text())
    assert packages() == set(project["tool"]["importlinter"]["root_packages"])


def test_every_package_is_type_checked() -> None:
    config = configparser.ConfigParser()
    config.read(BASE / "mypy.ini")
    assert packages() <= set(config["mypy"]["files"].replace(",", " ").split())


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (
                f"{node.module}",
                *(f"{node.module}.{n.name}" for n in node.names),
            )
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_what_several_tests_use_stands_in_no_test_module() -> None:
    found = {
        (path.relative_to(BASE / "tests").as_posix(), name)
        for path in (BASE / "tests").rglob("*.py")
        for name in imported(path)
        if name.startswith("tests.") and name.split(".")[-1].startswith("test_")
    }
    assert found == EXCEPTIONS


@pytest.mark.parametrize(
    "text", ["import tests.x.test_y", "from tests.x import test_y"]
)
def test_an_import_of_a_test_module_is_noticed(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(text)
    assert "tests.x.test_y" in set(imported(path))
