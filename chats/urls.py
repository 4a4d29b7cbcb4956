"""The URLs of the pages."""

from django.urls import include, path, register_converter
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from chats.converters import IdConverter, NameConverter
from chats.decorators import path_kept_from_referrers
from chats.views import (
    accounts,
    administration,
    catch_up,
    conversation_details,
    conversations,
    go,
    inbox,
    invitations,
    looks,
    me,
    mentions,
    messages,
    new_conversation,
    notifications,
    styles,
    threads,
    users,
)

register_converter(IdConverter, "id")
register_converter(NameConverter, "name")

home = csrf_exempt(require_safe(RedirectView.as_view(pattern_name="conversations")))

details_urls = [
    path("details", conversation_details.details, name="conversation_details"),
    path("title", conversation_details.rename, name="rename_group"),
    path("people", conversation_details.add, name="add_participant"),
    path(
        "people/<name:username>/remove",
        conversation_details.remove,
        name="remove_participant",
    ),
    path(
        "people/<name:username>/own", conversation_details.hand_over, name="hand_over"
    ),
    path(
        "people/<name:username>/owner", conversation_details.add_owner, name="add_owner"
    ),
    path(
        "people/<name:username>/member",
        conversation_details.remove_owner,
        name="remove_owner",
    ),
    path("invitations", invitations.group_invitations, name="group_invitations"),
    path(
        "invitations/<id:invitation_id>/revoke",
        invitations.revoke_group_invitation,
        name="revoke_group_invitation",
    ),
    path("mute", conversation_details.mute, name="mute"),
    path("hide", conversation_details.hide, name="hide"),
    path("leave", conversation_details.leave, name="leave"),
]

administration_urls = [
    path("people", administration.people, name="administered_people"),
    path("people/@<name:username>", administration.person, name="administered_person"),
    path("people/<name:username>/suspend", administration.suspend, name="suspend"),
    path("people/<name:username>/let-in", administration.let_in, name="let_in"),
    path(
        "people/<name:username>/password",
        administration.set_password,
        name="set_password",
    ),
    path(
        "people/<name:username>/delete",
        administration.delete_person,
        name="delete_person",
    ),
    path("settings", administration.settings_page, name="administered_settings"),
    path("welcome", administration.welcome, name="welcome"),
    path("invitations", invitations.server_invitations, name="server_invitations"),
    path(
        "invitations/<id:invitation_id>/revoke",
        invitations.revoke_server_invitation,
        name="revoke_server_invitation",
    ),
]

urlpatterns = [
    path("favicon.ico", styles.favicon),
    path("", home, name="home"),
    path("setup", accounts.set_up, name="set_up"),
    # `next` may be the path of an invitation.
    path(
        "sign-in",
        path_kept_from_referrers(accounts.SignIn.as_view()),
        name="sign_in",
    ),
    path("sign-up", accounts.sign_up, name="sign_up"),
    path("join/<str:code>", invitations.join, name="join"),
    path("sign-out", accounts.sign_out, name="sign_out"),
    path("conversations", conversations.conversation_list, name="conversations"),
    path(
        "conversations/new",
        new_conversation.start_conversation,
        name="start_conversation",
    ),
    path(
        "conversations/<id:conversation_id>",
        conversations.conversation,
        name="conversation",
    ),
    path(
        "conversations/<id:conversation_id>/messages",
        conversations.message_rows,
        name="message_rows",
    ),
    path(
        "conversations/<id:conversation_id>/composer",
        conversations.composer,
        name="composer",
    ),
    path(
        "conversations/<id:conversation_id>/mentions",
        mentions.mention_options,
        name="mention_options",
    ),
    path("conversations/<id:conversation_id>/send", conversations.send, name="send"),
    path(
        "conversations/<id:conversation_id>/read",
        conversations.read_conversation,
        name="read_conversation",
    ),
    path("messages/<id:message_id>", messages.message, name="message"),
    path("messages/<id:message_id>/edit", messages.edit_message, name="edit_message"),
    path(
        "messages/<id:message_id>/delete",
        messages.delete_message,
        name="delete_message",
    ),
    path("messages/<id:message_id>/read", inbox.read_message, name="read_message"),
    path(
        "messages/<id:message_id>/unread",
        messages.unread_message,
        name="unread_message",
    ),
    path("messages/<id:message_id>/thread", threads.thread, name="thread"),
    path(
        "messages/<id:message_id>/history",
        messages.message_history,
        name="message_history",
    ),
    path(
        "messages/<id:message_id>/history/<id:version>/restore",
        messages.restore_version,
        name="restore_version",
    ),
    path("messages/<id:message_id>/receipts", messages.receipts, name="receipts"),
    path("catch-up", catch_up.catch_up, name="catch_up"),
    path("catch-up/<id:conversation_id>/done", catch_up.done, name="catch_up_done"),
    path("catch-up/<id:conversation_id>/undo", catch_up.undo, name="catch_up_undo"),
    path("catch-up/<id:conversation_id>/reply", catch_up.reply, name="catch_up_reply"),
    path("inbox", inbox.inbox, name="inbox"),
    path("inbox/read", inbox.read_inbox, name="read_inbox"),
    path("notifications", notifications.notification_list, name="notifications"),
    path("notifications/read", notifications.read_all, name="read_notifications"),
    path(
        "notifications/<id:notification_id>/read",
        notifications.read_notification,
        name="read_notification",
    ),
    path("people", users.people, name="people"),
    path("people/blocked", users.blocked, name="blocked"),
    path("people/options", users.people_options, name="people_options"),
    # No username begins with this sign.
    path("people/@<name:username>", users.person, name="person"),
    path("people/<name:username>/block", users.block, name="block"),
    path("people/<name:username>/unblock", users.unblock, name="unblock"),
    path("conversations/<id:conversation_id>/", include(details_urls)),
    path("go", go.go, name="go"),
    path("keys", go.keys, name="keys"),
    path("privacy", looks.privacy, name="privacy"),
    path("settings", me.profile, name="settings"),
    path("settings/tokens", me.token_list, name="tokens"),
    path(
        "settings/tokens/<id:token_id>/revoke",
        me.revoke_token,
        name="revoke_token",
    ),
    path("settings/sessions", me.session_list, name="sessions"),
    path(
        "settings/sessions/end-others",
        me.end_other_sessions,
        name="end_other_sessions",
    ),
    path(
        "settings/sessions/<name:reference>/end",
        me.end_session,
        name="end_session",
    ),
    path("settings/looks", looks.look_list, name="looks"),
    path("settings/looks/seen", looks.looks_seen, name="looks_seen"),
    path("administration", administration.overview, name="administration"),
    path("administration/", include(administration_urls)),
    path("account/password", accounts.change_password, name="password"),
    path("account/<id:user_id>/own.css", styles.own_style, name="own_style"),
    path("account/delete", accounts.delete_user, name="delete_user"),
]
