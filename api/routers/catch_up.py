"""Catching up: what waits for the caller, by conversation and thread."""

from typing import Final

from ninja import Query, Router

from api.authentication import ApiRequest
from api.operations import operation
from api.parsing import Written
from api.schemas.catch_up import CatchUpPage, CatchUpQuery, catch_up_page
from messaging.services.catch_up import Shown, catch_up

router = Router(tags=["inbox"])

# Messages on a page, of all its conversations.
_MESSAGES: Final = 400


@operation(router, "GET", "", "catch_up_list", {200: CatchUpPage})
def list_unread(
    request: ApiRequest, parameters: Query[CatchUpQuery]
) -> Written[CatchUpPage]:
    """List what is unread by conversation and thread, oldest first.

    First the conversations in which something was written to you (directly, as a
    mention or as a reply), then by how long the oldest has waited. Of muted
    conversations only mentions are listed. This marks nothing read: for that, send the
    sequences that were seen to `PUT /conversations/{conversation_id}/read`.
    """
    return catch_up_page(
        catch_up(
            reader=request.auth.id,
            show=Shown(parameters.show),
            cursor=parameters.cursor,
            limit=parameters.limit,
            messages=_MESSAGES,
        )
    )
