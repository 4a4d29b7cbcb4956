"""Generates the synchronous client from the asynchronous one, token by token."""

import io
import tokenize
from pathlib import Path
from typing import Final

from generator.formatting import formatted

_HEADER: Final = (
    '"""{doc}\n\nGenerated from _async/{name} by scripts/client; do not edit.\n"""'
)

# The prefix `Async` is removed from names; these names are replaced by others.
_WORDS: Final = {
    "StopAsyncIteration": "StopIteration",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "_async": "_sync",
    "aclose": "close",
    "aclosing": "closing",
    "aiter_bytes": "iter_bytes",
    "anext": "next",
    "asynccontextmanager": "contextmanager",
    "anyio": "time",
    "aread": "read",
}
_DROPPED: Final = frozenset({"async", "await"})


def synchronous(module: Path) -> str:
    source = module.read_text()
    lines = source.splitlines(keepends=True)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        if token.type == tokenize.NAME:
            row, start = token.start
            end = token.end[1]
            line = lines[row - 1]
            if token.string in _DROPPED:
                end += 1
            lines[row - 1] = line[:start] + _word(token.string) + line[end:]
    return formatted(_marked("".join(lines), module.name), f"_sync/{module.name}")


def _word(word: str) -> str:
    if word in _DROPPED:
        return ""
    return _WORDS.get(word) or (word.removeprefix("Async") if word != "Async" else word)


def _marked(code: str, name: str) -> str:
    """Replace the module's docstring by one that says which file it is generated from."""
    opening, doc, rest = code.split('"""', 2)
    assert not opening, name
    return _HEADER.format(doc=doc.strip(), name=name) + rest
