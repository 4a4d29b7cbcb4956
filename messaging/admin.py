"""The Django admin: read-only lists of all tables, and forms for accounts.

There is no form for messages and no bulk action: both would bypass histories, counters
and notifications. Accounts are in `administration.accounts`. Looks at what people wrote
are recorded, and told to them: see `administration.looks`.
"""

from typing import TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from typing_extensions import override

from messaging.administration.accounts import PAGE_SIZE
from messaging.administration.looks import RecordedAdmin
from messaging.administration.search import SearchAdmin
from messaging.ids import ConversationId, MessageId, TokenId, UserId
from messaging.models import (
    AccessToken,
    Block,
    Conversation,
    ExportLease,
    IdempotencyKey,
    Installation,
    InviteCode,
    Look,
    Message,
    MessageHistory,
    NameEntry,
    Notification,
    Participant,
    ServiceToken,
    Session,
)
from messaging.models.looks import LookSource
from messaging.projections import preview
from messaging.services.looks import Shown
from messaging.services.tokens import revoke_token

M = TypeVar("M", bound=models.Model)


class ReadOnlyAdmin(SearchAdmin[M]):
    """A list of rows that nobody can change here: only services write them."""

    actions = None
    # "Show all" shows no more.
    list_per_page = list_max_show_all = PAGE_SIZE
    # Counting all rows for the heading costs more than showing a page of them.
    show_full_result_count = False

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin[AccessToken]):
    list_display = ("name", "user", "created_at", "last_used_at", "expires_at")
    list_filter = ("created_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__folded_name")
    fields = ("user", "name", "created_at", "last_used_at", "expires_at")

    @override
    def has_delete_permission(
        self, request: HttpRequest, obj: AccessToken | None = None
    ) -> bool:
        # Unlike other rows here, a token may be deleted: that revokes it.
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    @override
    def delete_model(self, request: HttpRequest, obj: AccessToken) -> None:
        # The service also ends the streams that were opened with the token.
        revoke_token(owner=UserId(obj.user_id), token_id=TokenId(obj.pk))


@admin.register(ServiceToken)
class ServiceTokenAdmin(ReadOnlyAdmin[ServiceToken]):
    list_display = ("name", "created_at")
    list_filter = ("created_at",)
    search_fields = ("name",)
    fields = ("name", "created_at")

    @override
    def has_delete_permission(
        self, request: HttpRequest, obj: ServiceToken | None = None
    ) -> bool:
        # May be deleted: that revokes the token.
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(InviteCode)
class InviteCodeAdmin(ReadOnlyAdmin[InviteCode]):
    list_display = ("id", "used", "max_uses", "created_at", "expires_at")
    list_filter = ("created_at", "expires_at")
    fields = ("used", "max_uses", "created_at", "expires_at")

    @override
    def has_delete_permission(
        self, request: HttpRequest, obj: InviteCode | None = None
    ) -> bool:
        # May be deleted: nobody can register with the code any more.
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(Conversation)
class ConversationAdmin(RecordedAdmin[Conversation], ReadOnlyAdmin[Conversation]):
    source = LookSource.CONVERSATIONS
    list_display = ("__str__", "kind", "last_sequence", "last_activity_at")
    list_filter = ("kind", "last_activity_at")
    search_fields = ("title", "folded_title", "participants__user__folded_name")

    @override
    def shown(self, row: Conversation, *, alone: bool = False) -> Shown:
        return _shown(row.pk, None, row.low_user_id, row.high_user_id)


@admin.register(NameEntry)
class NameEntryAdmin(ReadOnlyAdmin[NameEntry]):
    list_display = ("user", "entry")
    list_select_related = ("user",)
    search_fields = ("entry",)


@admin.register(Participant)
class ParticipantAdmin(RecordedAdmin[Participant], ReadOnlyAdmin[Participant]):
    source = LookSource.PARTICIPANTS
    list_display = ("user", "conversation", "role", "joined_at")
    list_filter = ("role", "joined_at")
    list_select_related = ("user", "conversation")
    search_fields = ("user__folded_name", "conversation__folded_title")

    @override
    def shown(self, row: Participant, *, alone: bool = False) -> Shown:
        return _shown(row.conversation_id, None, row.user_id)


@admin.register(Message)
class MessageAdmin(RecordedAdmin[Message], ReadOnlyAdmin[Message]):
    source = LookSource.MESSAGES
    list_display = (
        "content_preview",
        "sender",
        "receiver",
        "conversation",
        "timestamp",
        "read",
        "edited",
    )
    list_filter = ("read", "edited", "conversation__kind", "timestamp")
    list_select_related = ("sender", "receiver", "conversation")
    search_fields = ("content", "sender__folded_name", "receiver__folded_name")

    @override
    def shown(self, row: Message, *, alone: bool = False) -> Shown:
        people: tuple[int | None, ...] = (row.sender_id, row.receiver_id)
        if not alone:
            return _shown(row.conversation_id, None, *people)
        # Its own page shows how the message above it begins.
        above = row.parent_message
        if above is not None:
            people = (*people, above.sender_id)
        return _shown(row.conversation_id, row.pk, *people)


@admin.register(MessageHistory)
class MessageHistoryAdmin(RecordedAdmin[MessageHistory], ReadOnlyAdmin[MessageHistory]):
    source = LookSource.HISTORIES
    list_display = (
        "content_preview",
        "message_id",
        "version",
        "edited_by",
        "edited_at",
    )
    list_filter = ("edited_at",)
    list_select_related = ("edited_by", "message")
    search_fields = ("old_content", "edited_by__folded_name")

    @admin.display(description="old content")
    def content_preview(self, entry: MessageHistory) -> str:
        return preview(entry.old_content)

    @override
    def shown(self, row: MessageHistory, *, alone: bool = False) -> Shown:
        return _shown(
            row.message.conversation_id,
            row.message_id if alone else None,
            row.message.sender_id,
            row.edited_by_id,
        )


@admin.register(Notification)
class NotificationAdmin(RecordedAdmin[Notification], ReadOnlyAdmin[Notification]):
    source = LookSource.NOTIFICATIONS
    list_display = (
        "user",
        "kind",
        "content_preview",
        "created_at",
        "is_read",
        "silent",
    )
    list_filter = ("is_read", "kind", "silent", "created_at")
    list_select_related = ("user", "message")
    search_fields = ("user__folded_name", "message__content")

    @admin.display(description="message")
    def content_preview(self, notification: Notification) -> str:
        return notification.message.content_preview

    @override
    def shown(self, row: Notification, *, alone: bool = False) -> Shown:
        return _shown(
            row.conversation_id,
            row.message_id if alone else None,
            row.user_id,
            row.message.sender_id,
        )


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin[Block]):
    list_display = ("blocker", "blocked", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("blocker", "blocked")
    search_fields = ("blocker__folded_name", "blocked__folded_name")


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin[Session]):
    list_display = ("user", "expire_date")
    list_filter = ("expire_date",)
    list_select_related = ("user",)
    search_fields = ("user__folded_name",)
    # No links and no session key: whoever knows the key is signed in as the user.
    list_display_links = None
    fields = ("user", "expire_date")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin[IdempotencyKey]):
    list_display = ("user", "status", "created_at")
    list_filter = ("status", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__folded_name",)
    fields = ("user", "status", "created_at")


@admin.register(ExportLease)
class ExportLeaseAdmin(ReadOnlyAdmin[ExportLease]):
    list_display = ("user", "expires_at")
    list_filter = ("expires_at",)
    list_select_related = ("user",)
    search_fields = ("user__folded_name",)
    fields = ("user", "expires_at")


@admin.register(Look)
class LookAdmin(ReadOnlyAdmin[Look]):
    """Nobody changes or deletes what staff looked at."""

    list_display = ("at", "by", "source", "conversation_id", "message_id")
    list_filter = ("source", "at")
    list_select_related = ("by",)
    search_fields = ("by__folded_name", "conversation_id")


@admin.register(Installation)
class InstallationAdmin(ReadOnlyAdmin[Installation]):
    list_display = ("epoch", "clock")


def _shown(conversation_id: int, message_id: int | None, *people: int | None) -> Shown:
    return Shown(
        ConversationId(conversation_id),
        None if message_id is None else MessageId(message_id),
        frozenset(person for person in people if person is not None),
    )
