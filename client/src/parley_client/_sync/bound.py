"""What the server tells, with what can be done about it.

Generated from _async/bound.py by scripts/client; do not edit.
"""

from pydantic import PrivateAttr
from typing_extensions import override

from parley_client._sync.session import Session
from parley_client.base import Model


class Bound(Model):
    """Knows the session it was read in; one made by hand can do nothing."""

    _session: Session = PrivateAttr()

    @override
    def model_post_init(self, context: object, /) -> None:
        if isinstance(context, Session):
            self._session = context
