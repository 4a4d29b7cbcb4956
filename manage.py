#!/usr/bin/env python
"""Django's command line for Parley."""

import os
import sys

from config.startup_checks import run_command

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    run_command(sys.argv)
