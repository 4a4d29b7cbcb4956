from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.schemas.fields import PageQuery, Username
from api.schemas.users import BlockOut, BlockPage, user_out
from messaging.errors import TooManyBlocksError, UserNotFoundError
from messaging.services import blocks, users

router = Router(tags=["blocks"])


@operation(router, "GET", "", "blocks_list", {200: BlockPage})
def list_blocks(request: ApiRequest, parameters: Query[PageQuery]) -> BlockPage:
    """List the people you blocked, the latest block first.

    Nobody can list the people who blocked them.
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


@operation(
    router,
    "PUT",
    "/{username}",
    "blocks_put",
    {204: None},
    errors=[UserNotFoundError, TooManyBlocksError],
)
def put_block(request: ApiRequest, username: Username) -> Status[None]:
    """Block a person.

    Neither of you can send the other a direct message, or add the other to a group: the
    answer is 403 `not_deliverable`. Shared groups and earlier messages stay as they
    are.
    """
    blocks.block(
        blocker=request.auth.user, blocked=users.active_user(username=username)
    )
    return Status(204, None)


@operation(
    router,
    "DELETE",
    "/{username}",
    "blocks_remove",
    {204: None},
    errors=[UserNotFoundError],
)
def remove_block(request: ApiRequest, username: Username) -> Status[None]:
    """Remove your block of a person.

    Idempotent: without a block, nothing changes. A block by the other person stays.
    """
    blocks.unblock(
        blocker=request.auth.user, blocked=users.account_named(username=username)
    )
    return Status(204, None)
