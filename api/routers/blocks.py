"""Blocks."""

from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.schemas.fields import PageQuery, Username
from api.schemas.people import BlockOut, BlockPage, user_out
from messaging.services import blocks, users

router = Router(tags=["blocks"])


@operation(router, "GET", "", "blocks_list", {200: BlockPage})
def list_blocks(request: ApiRequest, parameters: Query[PageQuery]) -> BlockPage:
    """List whom you blocked.

    The latest first. Who blocked you is nobody's to see.
    """
    page = blocks.block_page(
        blocker=request.auth.id, cursor=parameters.cursor, limit=parameters.limit
    )
    return BlockPage(
        items=[
            BlockOut(user=user_out(row.blocked), created_at=row.created_at)
            for row in page.items
        ],
        next_cursor=page.next_cursor,
    )


@operation(router, "PUT", "/{username}", "blocks_put", {204: None}, refusals=[404])
def put_block(request: ApiRequest, username: Username) -> Status[None]:
    """Block someone.

    Nothing new is delivered between you, in either direction: both of you get 403
    `not_deliverable`. Shared groups and what was said before stay as they are.
    """
    blocks.block(
        blocker=request.auth.user, blocked=users.active_user(username=username)
    )
    return Status(204, None)


@operation(
    router, "DELETE", "/{username}", "blocks_remove", {204: None}, refusals=[404]
)
def remove_block(request: ApiRequest, username: Username) -> Status[None]:
    """Take a block back.

    Nothing happens if there is none. If the other one blocked you as well, that stays.
    """
    blocks.unblock(
        blocker=request.auth.user, blocked=users.account_named(username=username)
    )
    return Status(204, None)
