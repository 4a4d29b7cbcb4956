"""Frames of an event stream."""

import json
from typing import Final

ANN: Final = {"id": 1, "username": "ann", "display_name": "Ann"}


def message(number: int, content: str = "hello") -> dict[str, object]:
    return {
        "id": number,
        "conversation_id": 1,
        "sequence": number,
        "sender": ANN,
        "receiver": None,
        "content": content,
        "timestamp": "2026-01-01T10:00:00Z",
        "read": False,
        "edited": False,
        "deleted": False,
        "version": 1,
        "parent_message_id": None,
        "reply_count": 0,
    }


def frame(event: str, cursor: str | None = None, /, **payload: object) -> bytes:
    data = json.dumps({"type": event, **payload}, ensure_ascii=False)
    named = "" if cursor is None else f"id: {cursor}\n"
    return f"event: {event}\n{named}data: {data}\n\n".encode()


def created(number: int, content: str = "hello") -> bytes:
    return frame("message.created", f"c{number}", message=message(number, content))
