"""Objects that the server returns, with the methods that act on them.

Generated from _async/bound.py by scripts/client; do not edit.
"""

from pydantic import PrivateAttr
from typing_extensions import override

from parley_client._sync.session import Session
from parley_client.base import Model


class Bound(Model):
    """An object that keeps the session it was read with, for its methods.

    Methods of an object that you construct yourself fail: it has no session.
    """

    _session: Session = PrivateAttr()

    @override
    def model_post_init(self, context: object, /) -> None:
        if isinstance(context, Session):
            self._session = context
