"""What the default run leaves out exists, and is run by whoever names it."""

from pathlib import Path

import pytest

from tests.slow import (
    KEPT,
    LEFT_OUT,
    WITHOUT_DATABASE,
    is_left_out,
    is_without_database,
)

TESTS = Path(__file__).parent


def test_what_is_left_out_or_kept_exists() -> None:
    names = {*LEFT_OUT, *KEPT, *WITHOUT_DATABASE}
    assert [name for name in names if not (TESTS / name).exists()] == []


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_a_file_is_run_when_it_is_named(name: str) -> None:
    file = TESTS / name
    if file.is_dir():
        file = next(path for path in file.glob("test_*.py") if not _is_kept(path))
    assert is_left_out(file, ["tests"])
    assert not is_left_out(file, [f"{file}::test_something"])


def test_what_is_kept_is_run() -> None:
    assert not any(is_left_out(TESTS / name, ["tests"]) for name in KEPT)


def test_what_no_database_has_a_part_in_is_left_out_with_what_is_in_it() -> None:
    assert is_without_database(TESTS / "browser" / "test_drafts.py")
    assert is_without_database(TESTS / "client")
    assert is_without_database(TESTS / "test_typing.py")
    assert not is_without_database(TESTS / "api" / "test_messages.py")
    assert not is_without_database(TESTS / "messaging")
    assert not is_without_database(TESTS)


def _is_kept(path: Path) -> bool:
    return path.relative_to(TESTS).as_posix() in KEPT
