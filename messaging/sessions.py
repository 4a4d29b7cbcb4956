"""Browser sessions in the database, each with its user in a column.

Like tokens, they are stored by digests of their keys: nobody can sign in with the rows
of a stolen dump or backup.
"""

from datetime import datetime

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from typing_extensions import override

from messaging.database import CompiledQuery
from messaging.models import User
from messaging.models.sessions import Session, digest_of
from messaging.services.sessions import end_session_of_key


@CompiledQuery
def _stored(*, digest: str, now: datetime) -> QuerySet[Session]:
    return Session.objects.select_related("user").filter(
        session_key=digest, expire_date__gt=now
    )


class SessionStore(DatabaseSessionStore):
    """Django's database store, with our own table."""

    _ends_at: datetime | None = None
    _user: User | None = None

    @property
    def seconds_left(self) -> int:
        """The seconds until the loaded session expires, unless it is renewed; 0 if none is
        loaded.
        """
        if self._ends_at is None:
            return 0
        return max(0, int((self._ends_at - timezone.now()).total_seconds()))

    def quickly_verified_user(self) -> User | None:
        """The user, read together with the session, if it is certain that it is theirs.

        None says nothing: Django's `get_user()` then decides, with another query. It asks
        the same, and also knows what to do about keys that were rotated.
        """
        hashed: object = self.get(HASH_SESSION_KEY)
        user = self._user
        if user is None or not user.is_active or not isinstance(hashed, str):
            return None
        is_theirs = (
            self.get(SESSION_KEY) == str(user.pk)
            and self.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
            and constant_time_compare(hashed, user.get_session_auth_hash())
        )
        return user if is_theirs else None

    @classmethod
    @override
    def get_model_class(cls) -> type[Session]:
        return Session

    @override
    def create_model_instance(self, data: dict[str, str]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = digest_of(row.session_key)
        if isinstance(row, Session) and SESSION_KEY in data:
            row.user_id = int(data[SESSION_KEY])
        return row

    @override
    async def acreate_model_instance(self, data: dict[str, str]) -> AbstractBaseSession:
        return await sync_to_async(self.create_model_instance)(data)

    @override
    def exists(self, session_key: str) -> bool:
        return super().exists(digest_of(session_key))

    @override
    async def aexists(self, session_key: str) -> bool:
        return await super().aexists(digest_of(session_key))

    @override
    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            end_session_of_key(key=key)

    @override
    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)

    # Overrides Django's lookup, which `load()` and `aload()` call.
    def _get_session_from_db(self) -> Session | None:
        digest = digest_of(self.session_key or "")
        found = _stored.first(digest=digest, now=timezone.now())
        if found is None:
            self._session_key = None
        else:
            self._ends_at, self._user = found.expire_date, found.user
        return found

    async def _aget_session_from_db(self) -> Session | None:
        return await sync_to_async(self._get_session_from_db)()
