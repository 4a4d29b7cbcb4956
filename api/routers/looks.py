from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.schemas.fields import PageQuery
from api.schemas.looks import LookPage, LooksSeenIn, look_page
from messaging.services import looks

router = Router(tags=["looks"])


@operation(router, "GET", "", "looks_list", {200: LookPage})
def list_looks(request: ApiRequest, parameters: Query[PageQuery]) -> LookPage:
    """List the looks of staff at your conversations, the latest first.

    Each is recorded before the admin shows anything. You are told of looks at
    conversations in which you took part at that time, and at what you wrote, for a
    year. What they saw is not kept.
    """
    return look_page(
        looks.look_page(
            reader=request.auth.id, cursor=parameters.cursor, limit=parameters.limit
        )
    )


@operation(router, "PUT", "/seen", "looks_mark_seen", {204: None})
def mark_seen(request: ApiRequest, body: LooksSeenIn) -> Status[None]:
    """Mark looks as not new any more, up to the one of this id and with it.

    `new_looks` of the inbox summary counts the others.
    """
    looks.mark_looks_seen(reader=request.auth.id, up_to=body.up_to)
    return Status(204, None)
