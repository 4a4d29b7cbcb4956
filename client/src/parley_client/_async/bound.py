"""Objects that the server returns, with the methods that act on them."""

from pydantic import PrivateAttr
from typing_extensions import override

from parley_client._async.session import AsyncSession
from parley_client.base import Model


class AsyncBound(Model):
    """An object that keeps the session it was read with, for its methods.

    Methods of an object that you construct yourself fail: it has no session.
    """

    _session: AsyncSession = PrivateAttr()

    @override
    def model_post_init(self, context: object, /) -> None:
        if isinstance(context, AsyncSession):
            self._session = context
