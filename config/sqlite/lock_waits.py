"""Threads that never wait for SQLite's write lock.

The pool for reads has such threads: a read that also writes a little must not block
other reads. In these threads a write fails at once if the database is locked. The
thread notes that, so that the whole request can be repeated in the pool for writes.
`messaging.lock_timeouts` is for single writes, in any thread.
"""

import threading

_thread = threading.local()


def never_wait_for_locks() -> None:
    """Let connections of this thread never wait for writers, from now on."""
    _thread.never_waits = True


def never_waits() -> bool:
    """Whether connections of this thread never wait for writers."""
    return getattr(_thread, "never_waits", False)


def note_met_lock() -> None:
    """Note that a write of this thread failed because the database was locked."""
    if never_waits():
        _thread.met_lock = True


def has_met_a_lock() -> bool:
    """Whether `note_met_lock` was called in this thread since the last call of this function."""
    met_lock: bool = getattr(_thread, "met_lock", False)
    _thread.met_lock = False
    return met_lock
