"""Temporary files beside a target file, which they replace once they are complete.

Each has a folder of its own, which its process locks while it runs. A folder without a
lock was left by a process that ended, and may be removed.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

# The suffix after the target's name. Earlier versions of Parley wrote files with this
# suffix, without a folder.
_ENDING: Final = re.compile(
    r"\.(restoring-\w+|(before-[0-9-]+\.)?[0-9a-f]{16})(-(wal|shm|journal|queue|turn))?",
    re.ASCII,
)


@contextmanager
def temporary_file_beside(target: Path, *, kind: str = "") -> Iterator[Path]:
    """Yield the path of a temporary file, and remove it afterwards.

    It is on the target's file system, so that renaming it is atomic. Only its owner may
    read it. Files that killed processes left are removed first.

    Raises:
        OSError: nothing can be written beside the target.
    """
    remove_abandoned(target)
    folder, lock = _locked_folder(target, kind)
    try:
        yield folder / target.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_abandoned(target: Path) -> None:
    """Remove the temporary files beside a target whose processes have ended."""
    for left in temporary_files_beside(target):
        # The folder may belong to another user, or be gone by now.
        with suppress(OSError):
            _remove_unless_locked(left)


def temporary_files_beside(target: Path) -> list[Path]:
    name = f".{target.name}"
    with suppress(OSError):
        return [
            path
            for path in target.absolute().parent.iterdir()
            if path.name.startswith(name) and _ENDING.fullmatch(path.name[len(name) :])
        ]
    return []


def _locked_folder(target: Path, kind: str) -> tuple[Path, int]:
    """Create a folder and lock it."""
    # Repeat if another process removed the folder before it was locked.
    while True:
        folder = target.with_name(f".{target.name}.{kind}{secrets.token_hex(8)}")
        folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _remove_unless_locked(left: Path) -> None:
    lock = os.open(left, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()
    finally:
        os.close(lock)
