"""Finding people."""

from ninja import Query, Router

from api.authentication import ApiRequest
from api.operations import operation
from api.schemas.people import UserPage, UserQuery, user_out
from messaging.services import users

router = Router(tags=["users"])


@operation(router, "GET", "", "users_search", {200: UserPage})
def search_users(request: ApiRequest, parameters: Query[UserQuery]) -> UserPage:
    """Find people by how their username begins.

    In the order of usernames, whatever their case. Suspended accounts are left out.
    """
    page = users.search_users(
        prefix=parameters.query, cursor=parameters.cursor, limit=parameters.limit
    )
    return UserPage(
        items=[user_out(user) for user in page.items], next_cursor=page.next_cursor
    )
