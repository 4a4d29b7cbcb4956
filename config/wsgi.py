"""The WSGI application, through which `config/asgi.py` reaches Django.

On its own it is for development only, under `manage.py runserver`: startup checks,
worker pools, time limits, live events and housekeeping belong to the ASGI application.
docs/decisions/0027-the-edge.md says why.
"""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Nobody else may read the files that a worker writes, such as counters.
os.umask(0o077)

application = get_wsgi_application()

# Load all URLs now, and not in the first request. Then freeze all objects, so that the
# garbage collector does not scan them again and again.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
