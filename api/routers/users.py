"""Searching for people."""

from ninja import Query, Router

from api.authentication import ApiRequest
from api.operations import operation
from api.schemas.users import UserPage, UserQuery, user_out
from messaging.services import users

router = Router(tags=["users"])


@operation(router, "GET", "", "users_search", {200: UserPage})
def search_users(request: ApiRequest, parameters: Query[UserQuery]) -> UserPage:
    """Find people by the beginning of a word of their names.

    Searches usernames and display names, in any script; case and accents make no
    difference. The order is that of the words found, then of the usernames. Suspended
    accounts are left out. A page may be short or empty and yet have a cursor: then
    there is more to search.
    """
    page = users.search_users(
        prefix=parameters.query, cursor=parameters.cursor, limit=parameters.limit
    )
    return UserPage(
        items=[user_out(user) for user in page.items], next_cursor=page.next_cursor
    )
