"""Optimistic locking by `If-Match`: a change to a version that is not current is a 412."""

import re
from typing import Annotated, Final

from django.utils.http import parse_etags
from ninja import Header

from api.schemas.fields import Text
from messaging.ids import MessageId
from messaging.services.messages import Versions

IfMatch = Annotated[
    Text | None,
    Header(
        None,
        alias="If-Match",
        description="The message's ETag: 412 when someone was faster. Without it the last one wins.",
    ),
]

_TAG: Final = re.compile(r'"([0-9]{1,19})\.([0-9]{1,10})"')


def etag(message_id: MessageId, version: int) -> str:
    """The ETag of a message and the version of its content.

    Reads and replies do not change it: otherwise they would make edits fail.
    """
    return f'"{message_id}.{version}"'


def versions_of(message_id: MessageId, if_match: str | None) -> Versions | None:
    """The versions of this message that an `If-Match` header names; None if it allows any."""
    if if_match is None:
        return None
    tags = parse_etags(if_match)
    if tags == ["*"]:
        return None
    named = (_TAG.fullmatch(tag) for tag in tags)
    return frozenset(
        int(tag[2]) for tag in named if tag is not None and int(tag[1]) == message_id
    )
