"""The ASGI application: serves requests and event streams on one port."""

import gc

from config.wsgi import application as requests

# isort: split
# Only now: importing the above has set Django up.
from config.asgi_to_wsgi import AsgiToWsgi
from config.startup_checks import prepare_worker

prepare_worker()

application = AsgiToWsgi(requests)

# Freeze again, since more was loaded; config/wsgi.py says why.
gc.freeze()
