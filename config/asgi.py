"""The ASGI application: everything on one port, event streams and requests."""

import gc

from config.wsgi import application as requests

# isort: split
# Only now: importing the above has set Django up.
from config.bridge import Bridge

application = Bridge(requests)

# With what the bridge loaded; see config/wsgi.py.
gc.freeze()
