"""What a run leaves out, and why.

By default, slow tests are left out. `--all` runs them too, `--slow` runs only them, and a
file that is named is run completely. A slow test tests a rule at length, in a browser or
against servers; the rule's core is tested by one that stays.

`--only-database` leaves out tests that are the same on every database.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from zlib import crc32

import pytest

_TESTS: Final = Path(__file__).parent

# Files and folders that are not even imported.
LEFT_OUT: Final[Mapping[str, str]] = {
    "browser": "Chromium takes seconds for a test; chats tests the same pages without it",
    "client/test_generated.py": "generates the client anew",
    "client/test_limits.py": "starts servers with limits",
    "client/test_networks.py": "a thousand sends through networks that fail",
    "client/test_other_clients.py": "generates clients with other people's generators",
    "client/test_overload.py": "overloads a server",
    "client/test_package.py": "builds and installs the package",
    "client/test_typing.py": "runs mypy",
    "contract/test_generated_requests.py": "thousands of requests",
    "contract/test_large_trees.py": "trees of 10,000 replies",
    "live": "starts servers, some of them for one test; api and messaging test without",
    "messaging/test_deletion_size.py": "accounts of 100,000 messages",
    "messaging/test_state_machine.py": "hundreds of random walks; each rule has its test",
    "prove": "proofs at length; scripts/prove runs most of them",
    "test_dataset.py": "fills in the database that speed is measured in",
    "test_temporary_files.py": "starts programs, and ends them midway",
    "test_private_files.py": "starts each program that makes a file",
    "test_reload.py": "starts a server anew for each change",
    "test_restore.py": "restores while servers run, killed at every step",
    "test_startup_checks.py": "starts programs; test_settings tests what settings mean",
    "test_typing.py": "runs mypy",
}

# What stays of those: whole scenarios, and races, on servers that all share.
KEPT: Final = frozenset(
    {
        "browser/test_two_people.py",
        "live/test_conversation_page.py",
        "live/test_event_streams.py",
        "live/test_exactly_once.py",
        "live/test_races.py",
    }
)

# Files and folders that `--only-database` does not import either.
WITHOUT_DATABASE: Final[Mapping[str, str]] = {
    "browser": "a browser shows what the server says, which chats and live test",
    "client": "the client knows the API alone, which api and live test",
    "test_reload.py": "restarts a server for changed files, whatever it reads",
    "test_typing.py": "runs mypy",
}


def is_without_database(path: Path) -> bool:
    """Whether no database has a part in a file or folder."""
    if not path.is_relative_to(_TESTS):
        return False
    return bool(_places(path) & WITHOUT_DATABASE.keys())


def is_left_out(path: Path, arguments: Sequence[str]) -> bool:
    """Whether a file is not imported, in a run that does not name it."""
    if not path.is_relative_to(_TESTS) or path in _named(arguments):
        return False
    return path.name.startswith("test_") and bool(
        _places(path) & LEFT_OUT.keys()
        and path.relative_to(_TESTS).as_posix() not in KEPT
    )


def is_slow(item: pytest.Item, arguments: Sequence[str]) -> bool:
    """Whether a test is marked to be left out, in a run that does not name its file.

    Of one marked `slow(but_one_in=8)`, whose many cases test one rule, an eighth stays.
    """
    mark = item.get_closest_marker("slow")
    if mark is None or item.path in _named(arguments):
        return False
    kept: int | None = mark.kwargs.get("but_one_in")
    return kept is None or crc32(item.nodeid.encode()) % kept != 0


def _places(path: Path) -> set[str]:
    within = path.relative_to(_TESTS)
    return {within.as_posix(), *(parent.as_posix() for parent in within.parents)}


def _named(arguments: Sequence[str]) -> set[Path]:
    return {Path(argument.partition("::")[0]).absolute() for argument in arguments}
