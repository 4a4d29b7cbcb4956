import hashlib
from importlib import import_module
from typing import Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from typing_extensions import override

from messaging.models.users import User

# 160 bits in hex: as long as Django's column for keys.
_DIGEST_LENGTH: Final = 40


class Session(AbstractBaseSession):
    """A browser session, with its user in a column.

    Django stores the user only inside the encoded data, where deleting an account could
    not find it.
    """

    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, null=True, related_name="sessions"
    )

    @classmethod
    @override
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store


def digest_of(session_key: str) -> str:
    """The digest of a browser's session key, which is stored in place of the key."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:_DIGEST_LENGTH]
