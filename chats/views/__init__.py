"""Server-rendered pages, over the same services as the API."""

from chats.views.accounts import SignIn, delete_user

__all__ = ["SignIn", "delete_user"]
