"""Generated from the OpenAPI document by scripts/client; do not edit."""

from parley_client import models
from parley_client.base import Page, Request, Stream, quoted

__all__ = [
    "auth_create_token",
    "auth_list_tokens",
    "auth_register",
    "auth_revoke_current_token",
    "auth_revoke_token",
    "blocks_list",
    "blocks_put",
    "blocks_remove",
    "catch_up_list",
    "conversations_get",
    "conversations_hide",
    "conversations_list",
    "conversations_mark_read",
    "conversations_mute",
    "conversations_start",
    "conversations_typing",
    "conversations_unhide",
    "conversations_unmute",
    "conversations_update",
    "events_poll",
    "events_stream",
    "history_list",
    "history_restore",
    "inbox_list",
    "inbox_mark_read",
    "inbox_summary",
    "invitations_accept",
    "invitations_create",
    "invitations_get",
    "invitations_list",
    "invitations_revoke",
    "looks_list",
    "looks_mark_seen",
    "me_change_password",
    "me_delete",
    "me_export",
    "me_get",
    "me_preview_deletion",
    "me_update",
    "messages_delete",
    "messages_edit",
    "messages_get",
    "messages_list",
    "messages_list_receipts",
    "messages_mark_read",
    "messages_mark_unread",
    "messages_send",
    "messages_send_direct",
    "notifications_list",
    "notifications_mark_read",
    "owners_add",
    "owners_remove",
    "participants_list",
    "participants_put",
    "participants_remove",
    "service_create_token",
    "service_create_user",
    "threads_get",
    "threads_list_replies",
    "users_search",
]


def auth_register(body: models.RegisterIn) -> Request[models.Registered]:
    """Open an account."""
    return Request("auth_register", "POST", "/auth/register", body=body)


def auth_create_token(body: models.TokenIn) -> Request[models.IssuedToken]:
    """Sign in."""
    return Request("auth_create_token", "POST", "/auth/tokens", body=body)


def auth_list_tokens(
    *, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.Token]]:
    """List your tokens, newest first."""
    return Request(
        "auth_list_tokens",
        "GET",
        "/auth/tokens",
        query={"limit": limit, "cursor": cursor},
    )


def auth_revoke_current_token() -> Request[None]:
    """Sign out: revoke the token of this request."""
    return Request("auth_revoke_current_token", "DELETE", "/auth/tokens/current")


def auth_revoke_token(token_id: int) -> Request[None]:
    """Revoke one of your tokens."""
    return Request("auth_revoke_token", "DELETE", f"/auth/tokens/{quoted(token_id)}")


def me_get() -> Request[models.Profile]:
    """Show your profile."""
    return Request("me_get", "GET", "/me")


def me_update(
    body: models.MePatch, *, idempotency_key: str | None = None
) -> Request[models.Profile]:
    """Change your display name, or your settings."""
    return Request(
        "me_update",
        "PATCH",
        "/me",
        body=body,
        headers={"Idempotency-Key": idempotency_key},
    )


def me_delete(body: models.DeletionIn) -> Request[models.Deletion]:
    """Delete your account and all its data for good."""
    return Request("me_delete", "DELETE", "/me", body=body)


def me_preview_deletion() -> Request[models.Deletion]:
    """Count what deleting your account would delete."""
    return Request("me_preview_deletion", "GET", "/me/deletion")


def me_export() -> Stream[models.ExportLine]:
    """Download all your data."""
    return Stream("me_export", "GET", "/me/export")


def me_change_password(body: models.PasswordIn) -> Request[None]:
    """Change your password."""
    return Request("me_change_password", "PUT", "/me/password", body=body)


def users_search(
    *, query: str, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.User]]:
    """Find people by any part of their names."""
    return Request(
        "users_search",
        "GET",
        "/users",
        query={"limit": limit, "cursor": cursor, "query": query},
    )


def blocks_list(
    *, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.Block]]:
    """List the people you blocked, the latest block first."""
    return Request(
        "blocks_list", "GET", "/blocks", query={"limit": limit, "cursor": cursor}
    )


def blocks_put(username: str) -> Request[None]:
    """Block a person."""
    return Request("blocks_put", "PUT", f"/blocks/{quoted(username)}")


def blocks_remove(username: str) -> Request[None]:
    """Remove your block of a person."""
    return Request("blocks_remove", "DELETE", f"/blocks/{quoted(username)}")


def conversations_start(
    body: models.DirectIn | models.GroupIn, *, idempotency_key: str | None = None
) -> Request[models.ConversationData]:
    """Start a conversation."""
    return Request(
        "conversations_start",
        "POST",
        "/conversations",
        body=body,
        headers={"Idempotency-Key": idempotency_key},
    )


def conversations_list(
    *, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.ConversationData]]:
    """List your conversations, the most recently active first."""
    return Request(
        "conversations_list",
        "GET",
        "/conversations",
        query={"limit": limit, "cursor": cursor},
    )


def conversations_get(conversation_id: int) -> Request[models.ConversationData]:
    """Show one of your conversations."""
    return Request(
        "conversations_get", "GET", f"/conversations/{quoted(conversation_id)}"
    )


def conversations_update(
    conversation_id: int,
    body: models.ConversationPatch,
    *,
    idempotency_key: str | None = None,
) -> Request[models.ConversationData]:
    """Rename a group you own."""
    return Request(
        "conversations_update",
        "PATCH",
        f"/conversations/{quoted(conversation_id)}",
        body=body,
        headers={"Idempotency-Key": idempotency_key},
    )


def participants_list(
    conversation_id: int,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    query: str | None = None,
) -> Request[Page[models.Participant]]:
    """List the participants, or find some, in the order in which they joined."""
    return Request(
        "participants_list",
        "GET",
        f"/conversations/{quoted(conversation_id)}/participants",
        query={"limit": limit, "cursor": cursor, "query": query},
    )


def participants_put(
    conversation_id: int, username: str, body: models.ParticipantIn | None = None
) -> Request[None]:
    """Add a person to a group you own, or hand the group over."""
    return Request(
        "participants_put",
        "PUT",
        f"/conversations/{quoted(conversation_id)}/participants/{quoted(username)}",
        body=body,
    )


def participants_remove(conversation_id: int, username: str) -> Request[None]:
    """Leave a group, or as an owner remove another participant."""
    return Request(
        "participants_remove",
        "DELETE",
        f"/conversations/{quoted(conversation_id)}/participants/{quoted(username)}",
    )


def owners_add(conversation_id: int, username: str) -> Request[None]:
    """Make a participant one more owner of a group you own."""
    return Request(
        "owners_add",
        "PUT",
        f"/conversations/{quoted(conversation_id)}/owners/{quoted(username)}",
    )


def owners_remove(conversation_id: int, username: str) -> Request[None]:
    """Make an owner of a group you own, perhaps yourself, a member again."""
    return Request(
        "owners_remove",
        "DELETE",
        f"/conversations/{quoted(conversation_id)}/owners/{quoted(username)}",
    )


def conversations_mute(conversation_id: int) -> Request[None]:
    """Mute a conversation."""
    return Request(
        "conversations_mute", "PUT", f"/conversations/{quoted(conversation_id)}/mute"
    )


def conversations_unmute(conversation_id: int) -> Request[None]:
    """Unmute a conversation."""
    return Request(
        "conversations_unmute",
        "DELETE",
        f"/conversations/{quoted(conversation_id)}/mute",
    )


def conversations_hide(conversation_id: int) -> Request[None]:
    """Hide a conversation until its next message."""
    return Request(
        "conversations_hide", "PUT", f"/conversations/{quoted(conversation_id)}/hidden"
    )


def conversations_unhide(conversation_id: int) -> Request[None]:
    """Show a hidden conversation in your list again."""
    return Request(
        "conversations_unhide",
        "DELETE",
        f"/conversations/{quoted(conversation_id)}/hidden",
    )


def messages_list(
    conversation_id: int,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    around: int | None = None,
    after_sequence: int | None = None,
) -> Request[Page[models.MessageData]]:
    """List the messages of a conversation, newest first."""
    return Request(
        "messages_list",
        "GET",
        f"/conversations/{quoted(conversation_id)}/messages",
        query={
            "limit": limit,
            "cursor": cursor,
            "around": around,
            "after_sequence": after_sequence,
        },
    )


def messages_send(
    conversation_id: int, body: models.MessageIn, *, idempotency_key: str | None = None
) -> Request[models.MessageData]:
    """Send a message to everyone in a conversation."""
    return Request(
        "messages_send",
        "POST",
        f"/conversations/{quoted(conversation_id)}/messages",
        body=body,
        headers={"Idempotency-Key": idempotency_key},
    )


def conversations_mark_read(conversation_id: int, body: models.ReadIn) -> Request[None]:
    """Mark messages of a conversation read: all up to a sequence, or ranges of sequences."""
    return Request(
        "conversations_mark_read",
        "PUT",
        f"/conversations/{quoted(conversation_id)}/read",
        body=body,
    )


def conversations_typing(conversation_id: int) -> Request[None]:
    """Show the other participants that you are typing."""
    return Request(
        "conversations_typing",
        "PUT",
        f"/conversations/{quoted(conversation_id)}/typing",
    )


def invitations_create(
    conversation_id: int, body: models.InvitationIn
) -> Request[models.IssuedInvitation]:
    """Make an invitation to a group you own."""
    return Request(
        "invitations_create",
        "POST",
        f"/conversations/{quoted(conversation_id)}/invitations",
        body=body,
    )


def invitations_list(
    conversation_id: int, *, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.Invitation]]:
    """List the invitations to a group you own, newest first."""
    return Request(
        "invitations_list",
        "GET",
        f"/conversations/{quoted(conversation_id)}/invitations",
        query={"limit": limit, "cursor": cursor},
    )


def invitations_revoke(conversation_id: int, invitation_id: int) -> Request[None]:
    """Revoke an invitation to a group you own."""
    return Request(
        "invitations_revoke",
        "DELETE",
        f"/conversations/{quoted(conversation_id)}/invitations/{quoted(invitation_id)}",
    )


def invitations_get(code: str) -> Request[models.Invited]:
    """Look at an invitation, without joining."""
    return Request("invitations_get", "GET", f"/invitations/{quoted(code)}")


def invitations_accept(code: str) -> Request[models.ConversationData]:
    """Join a group by an invitation."""
    return Request("invitations_accept", "PUT", f"/invitations/{quoted(code)}/accepted")


def messages_send_direct(
    body: models.DirectMessageIn, *, idempotency_key: str | None = None
) -> Request[models.MessageData]:
    """Send a message to one person."""
    return Request(
        "messages_send_direct",
        "POST",
        "/messages",
        body=body,
        headers={"Idempotency-Key": idempotency_key},
    )


def messages_get(message_id: int) -> Request[models.MessageData]:
    """Show a message."""
    return Request("messages_get", "GET", f"/messages/{quoted(message_id)}")


def messages_edit(
    message_id: int,
    body: models.MessagePatch,
    *,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> Request[models.MessageData]:
    """Edit a message you sent."""
    return Request(
        "messages_edit",
        "PATCH",
        f"/messages/{quoted(message_id)}",
        body=body,
        headers={"If-Match": if_match, "Idempotency-Key": idempotency_key},
    )


def messages_delete(message_id: int, *, if_match: str | None = None) -> Request[None]:
    """Delete a message you sent, with its history."""
    return Request(
        "messages_delete",
        "DELETE",
        f"/messages/{quoted(message_id)}",
        headers={"If-Match": if_match},
    )


def threads_get(
    message_id: int, *, depth: int | None = None, nodes: int | None = None
) -> Request[models.ThreadData]:
    """Read a message and its replies as a nested tree."""
    return Request(
        "threads_get",
        "GET",
        f"/messages/{quoted(message_id)}/thread",
        query={"depth": depth, "nodes": nodes},
    )


def threads_list_replies(
    message_id: int, *, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.ReplyData]]:
    """List all replies below a message, of any depth, page by page."""
    return Request(
        "threads_list_replies",
        "GET",
        f"/messages/{quoted(message_id)}/replies",
        query={"limit": limit, "cursor": cursor},
    )


def messages_list_receipts(
    message_id: int, *, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.Receipt]]:
    """List the people who were notified of a message, and whether each has read it."""
    return Request(
        "messages_list_receipts",
        "GET",
        f"/messages/{quoted(message_id)}/receipts",
        query={"limit": limit, "cursor": cursor},
    )


def history_list(
    message_id: int, *, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.Version]]:
    """List the versions of a message, oldest first, the present content last."""
    return Request(
        "history_list",
        "GET",
        f"/messages/{quoted(message_id)}/history",
        query={"limit": limit, "cursor": cursor},
    )


def history_restore(
    message_id: int, version: int, *, idempotency_key: str | None = None
) -> Request[models.MessageData]:
    """Make an earlier version the content of your message again, as a new edit."""
    return Request(
        "history_restore",
        "POST",
        f"/messages/{quoted(message_id)}/history/{quoted(version)}/restore",
        headers={"Idempotency-Key": idempotency_key},
    )


def messages_mark_read(message_id: int) -> Request[None]:
    """Mark a message read."""
    return Request("messages_mark_read", "PUT", f"/messages/{quoted(message_id)}/read")


def messages_mark_unread(message_id: int) -> Request[None]:
    """Mark a message unread."""
    return Request(
        "messages_mark_unread", "DELETE", f"/messages/{quoted(message_id)}/read"
    )


def inbox_list(
    *, limit: int | None = None, cursor: str | None = None
) -> Request[models.InboxPage]:
    """List your unread messages of all conversations, newest first."""
    return Request(
        "inbox_list", "GET", "/inbox", query={"limit": limit, "cursor": cursor}
    )


def inbox_summary() -> Request[models.InboxSummary]:
    """Count your unread messages."""
    return Request("inbox_summary", "GET", "/inbox/summary")


def inbox_mark_read(body: models.InboxReadIn) -> Request[None]:
    """Mark read all messages of your inbox up to `up_to`."""
    return Request("inbox_mark_read", "PUT", "/inbox/read", body=body)


def catch_up_list(
    *, limit: int | None = None, cursor: str | None = None, show: str | None = None
) -> Request[models.CatchUpPage]:
    """List what is unread by conversation and thread, oldest first."""
    return Request(
        "catch_up_list",
        "GET",
        "/me/catch-up",
        query={"limit": limit, "cursor": cursor, "show": show},
    )


def looks_list(
    *, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.Look]]:
    """List the looks of staff at your conversations, the latest first."""
    return Request(
        "looks_list", "GET", "/me/looks", query={"limit": limit, "cursor": cursor}
    )


def looks_mark_seen(body: models.LooksSeenIn) -> Request[None]:
    """Mark looks as not new any more, up to the one of this id and with it."""
    return Request("looks_mark_seen", "PUT", "/me/looks/seen", body=body)


def notifications_list(
    *, limit: int | None = None, cursor: str | None = None
) -> Request[Page[models.NotificationData]]:
    """List your notifications, newest first: what is unread, and read mentions and replies."""
    return Request(
        "notifications_list",
        "GET",
        "/notifications",
        query={"limit": limit, "cursor": cursor},
    )


def notifications_mark_read(notification_id: int) -> Request[None]:
    """Mark a notification and its message read."""
    return Request(
        "notifications_mark_read",
        "PUT",
        f"/notifications/{quoted(notification_id)}/read",
    )


def events_stream(
    *, after: str | None = None, last_event_id: str | None = None
) -> Stream[models.StreamEvent]:
    """Stream events, as server-sent events."""
    return Stream(
        "events_stream",
        "GET",
        "/events",
        query={"after": after},
        headers={"Last-Event-ID": last_event_id},
    )


def events_poll(
    *, after: str | None = None, timeout: int | None = None, limit: int | None = None
) -> Request[models.EventPage]:
    """Wait for events (long polling), for clients that cannot stream."""
    return Request(
        "events_poll",
        "GET",
        "/events/poll",
        query={"after": after, "timeout": timeout, "limit": limit},
    )


def service_create_user(body: models.ServiceUserIn) -> Request[models.ServiceUser]:
    """Create a user without a password."""
    return Request("service_create_user", "POST", "/service/users", body=body)


def service_create_token(
    username: str, body: models.ServiceTokenIn
) -> Request[models.IssuedToken]:
    """Mint a short-lived token for a user."""
    return Request(
        "service_create_token",
        "POST",
        f"/service/users/{quoted(username)}/tokens",
        body=body,
    )
