"""What the documents for developers name is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

ROOT: Final[Path] = settings.BASE_DIR
DOCUMENTS: Final = ("CONTRIBUTING.md", "docs/architecture.md", "docs/proxies.md")
_CODE: Final = re.compile(r"`([^`\n]+)`")
_COMMAND: Final = re.compile(r"^\$ (\S+/\S+)", re.MULTILINE)
_LINK: Final = re.compile(r"\]\(([^)#]+)[^)]*\)")
# A command may have arguments; what has no slash may be anything.
_PATH: Final = re.compile(r"(?:[\w.-]+/)+[\w.-]*(?= |$)")


def named(document: Path) -> Iterator[str]:
    text = document.read_text()
    for code in _CODE.findall(text):
        if (path := _PATH.match(code)) and not is_made(code):
            yield path[0]
    yield from (path for path in _COMMAND.findall(text) if not is_made(path))
    for link in _LINK.findall(text):
        yield str((document.parent / link).resolve().relative_to(ROOT))


def is_made(path: str) -> bool:
    """Whether a script makes it on each machine."""
    return path.startswith(".venv/")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_is_there(document: str) -> None:
    paths = {*named(ROOT / document)}
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []
