"""What the server tells, with what can be done about it."""

from pydantic import PrivateAttr
from typing_extensions import override

from parley_client._async.session import AsyncSession
from parley_client.base import Model


class AsyncBound(Model):
    """Knows the session it was read in; one made by hand can do nothing."""

    _session: AsyncSession = PrivateAttr()

    @override
    def model_post_init(self, context: object, /) -> None:
        if isinstance(context, AsyncSession):
            self._session = context
