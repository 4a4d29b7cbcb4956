"""A debugger at the terminal, for code in a worker of the server."""

import pdb  # noqa: T100  # what this module is for
import sys
from pathlib import Path

_TERMINAL = Path("/dev/tty")


def stop() -> None:
    """Debug the caller; `breakpoint()` calls this under `scripts/serve --reload`.

    A worker's standard input is /dev/null, where pdb would read the end of its input.
    With a file of its own, pdb reads without readline: if the worker is ended
    meanwhile, the terminal stays as it was. Ctrl+C belongs to the server.

    Raises:
        OSError: there is no terminal.
    """
    debugger = pdb.Pdb(
        stdin=_TERMINAL.open(), stdout=_TERMINAL.open("w"), nosigint=True
    )
    debugger.set_trace(sys._getframe(1))
