"""Searching for people."""

from ninja import Query, Router

from api.authentication import ApiRequest
from api.operations import operation
from api.schemas.users import UserPage, UserQuery, user_out
from messaging.services import people_search

router = Router(tags=["users"])


@operation(router, "GET", "", "users_search", {200: UserPage})
def search_users(request: ApiRequest, parameters: Query[UserQuery]) -> UserPage:
    """Find people by any part of their names.

    Searches usernames and display names, in any script; case and accents make no
    difference. People with a word that begins as typed come first, in the order of
    these words; then the others, the oldest accounts first. Suspended accounts are left
    out. A page may be short or empty and yet have a cursor: then there is more to
    search.
    """
    page = people_search.search_users(
        typed=parameters.query, cursor=parameters.cursor, limit=parameters.limit
    )
    return UserPage(
        items=[user_out(user) for user in page.items], next_cursor=page.next_cursor
    )
