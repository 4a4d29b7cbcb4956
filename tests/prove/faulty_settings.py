"""The settings of servers whose disk fills up and whose clock moves on request.

A file in the data folder says so, for as long as it is there: `full-disk`, and
`clock` with the seconds that the clock is ahead.
"""

import time
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from config.settings import *  # noqa: F403
from config.settings import DATA_DIR, MIDDLEWARE

MIDDLEWARE = ["tests.prove.faults.FullDiskMiddleware", *MIDDLEWARE]

_real_time = time.time


def _moved_time() -> float:
    try:
        return _real_time() + float((DATA_DIR / "clock").read_text() or 0)
    except FileNotFoundError:
        return _real_time()


def _moved_now() -> datetime:
    return datetime.fromtimestamp(_real_time(), UTC) + timedelta(
        seconds=_moved_time() - _real_time()
    )


# Before anything else is imported that could keep the real ones.
patch("time.time", _moved_time).start()
patch("django.utils.timezone.now", _moved_now).start()
