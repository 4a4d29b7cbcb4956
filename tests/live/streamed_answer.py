"""An answer in very many pieces, and how many of them were made, in a file."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from typing_extensions import override

# Sets Django up, which AsgiToWsgi needs, and looks at no database: there is none.
import config.wsgi  # noqa: F401
from config.asgi_to_wsgi import AsgiToWsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PIECES: Final = 200_000
COUNTED_IN: Final = "PARLEY_TEST_PIECES"


class Pieces(Iterator[bytes]):
    streaming = True

    def __init__(self) -> None:
        self.made = 0

    @override
    def __next__(self) -> bytes:
        if self.made == PIECES:
            raise StopIteration
        self.made += 1
        return b"x" * 65_536

    def close(self) -> None:
        counted = Path(os.environ[COUNTED_IN])
        temporary = counted.with_suffix(".temporary")
        temporary.write_text(str(self.made))
        temporary.rename(counted)


def _streamed(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Pieces()


application = AsgiToWsgi(_streamed)
