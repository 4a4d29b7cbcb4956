"""Lines of an import, and what an export makes of them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

from django.core.management import call_command

from messaging.import_export.exporting import export_messages

Line = dict[str, str | None]


BEGUN = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def line(number: int, **changes: str | None) -> Line:
    """A good line of one conversation, a minute after the one before."""
    moment = BEGUN + timedelta(minutes=number)
    return {
        "id": f"talk/{number}",
        "conversation": "talk",
        "sender": "ann",
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
        "content": f"message {number}",
        "parent_message": None,
    } | changes


def write(path: Path, lines: Sequence[Line | bytes]) -> Path:
    texts = (
        text if isinstance(text, bytes) else json.dumps(text).encode() for text in lines
    )
    path.write_bytes(b"".join(text + b"\n" for text in texts))
    return path


def run_import(path: Path, *, skip_bad: bool = False) -> str:
    said = StringIO()
    call_command("import_messages", path, skip_bad=skip_bad, stdout=said)
    return said.getvalue()


def exported() -> list[Line]:
    lines: list[bytes] = []
    export_messages(lines.append, advance=lambda _: None)
    return [json.loads(text) for text in lines]
