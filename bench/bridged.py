"""Serves the WSGI application that BENCH_APPLICATION names the way Parley is served."""

import os

import django
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

# isort: split
# Only now, as in config/asgi.py.
from config.asgi_to_wsgi import AsgiToWsgi  # noqa: E402

application = AsgiToWsgi(import_string(os.environ["BENCH_APPLICATION"]))
