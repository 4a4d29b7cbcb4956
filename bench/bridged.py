"""The WSGI application that BENCH_APPLICATION names, served just as ours is."""

import os

import django
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

# isort: split
# Only now, as in config/asgi.py.
from config.bridge import Bridge  # noqa: E402

application = Bridge(import_string(os.environ["BENCH_APPLICATION"]))
