"""The ASGI application: everything on one port, event streams and requests."""

from config.wsgi import application as requests

# isort: split
# Only now: importing the above has set Django up.
from config.bridge import Bridge

application = Bridge(requests)
