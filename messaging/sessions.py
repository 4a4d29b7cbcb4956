"""Browser sessions in the database, each with its person in a column.

Like tokens, they are kept as digests of their keys: who gets hold of a dump of the
database, or a backup, signs in with nothing in it.
"""

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone
from typing_extensions import override

from messaging.models.sessions import Session, digest_of


class SessionStore(DatabaseSessionStore):
    """Django's, in a table of our own."""

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
            super().delete(digest_of(key))

    @override
    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)

    # Django's own way to find the row, for `load()` and `aload()`.
    def _get_session_from_db(self) -> Session | None:
        key = self.session_key or ""
        found = Session.objects.filter(
            session_key=digest_of(key), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    async def _aget_session_from_db(self) -> Session | None:
        return await sync_to_async(self._get_session_from_db)()
