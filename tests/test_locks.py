"""The lock files: what is served is what is tested, measured and mutated."""

import re
from pathlib import Path
from typing import Final

import pytest

_REQUIREMENTS: Final = Path(__file__).resolve().parent.parent / "requirements"


def locked(name: str) -> set[str]:
    """What a lock file pins, as `name==version`."""
    text = (_REQUIREMENTS / f"{name}.txt").read_text()
    return set(re.findall(r"^[a-z0-9._-]+(?:\[[a-z,]+\])?==[^ ;]+", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["dev", "bench", "mutate"])
def test_every_environment_has_what_is_served(name: str) -> None:
    assert locked("base") <= locked(name)
