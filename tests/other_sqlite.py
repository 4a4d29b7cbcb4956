"""The settings, upon the SQLite that PARLEY_TEST_SQLITE names instead of Python's own."""

import os
import sys
from importlib import import_module

_BUILD = os.environ["PARLEY_TEST_SQLITE"]
# Before Django's backend is imported, which knows no other name.
for _name, _module in (("sqlite3", _BUILD), ("sqlite3.dbapi2", f"{_BUILD}.dbapi2")):
    sys.modules[_name] = import_module(_module)

from config.settings import *  # noqa: E402, F403
