"""The admin: for looking, and for what only staff may change in an account.

Nobody writes messages here, and there are no bulk actions: both would go past
histories, counters and notifications.
"""

from typing import TYPE_CHECKING, Final, TypeVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.db import models
from django.http import HttpRequest
from typing_extensions import override

from messaging.models import (
    AccessToken,
    Block,
    Conversation,
    IdempotencyKey,
    Installation,
    InviteCode,
    Message,
    MessageHistory,
    Notification,
    Participant,
    ServiceToken,
    Session,
    User,
)
from messaging.models.messages import preview
from messaging.services.passwords import sign_out

M = TypeVar("M", bound=models.Model)

if TYPE_CHECKING:
    PasswordForm = AdminPasswordChangeForm[User]
else:
    # Generic to the stubs alone.
    PasswordForm = AdminPasswordChangeForm

PAGE_SIZE: Final = 50


class ReadOnlyAdmin(admin.ModelAdmin[M]):
    """Rows that follow from what people do, and from nothing else."""

    actions = None
    list_per_page = PAGE_SIZE
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


class NewUserForm(AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("username", "display_name")


class NewPasswordForm(PasswordForm):
    """A new password ends what the old one opened."""

    @override
    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit)
        sign_out(user=user)
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    actions = None
    change_password_form = NewPasswordForm
    add_form = NewUserForm
    list_display = ("username", "display_name", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "is_staff", "date_joined")
    list_per_page = PAGE_SIZE
    search_fields = ("username", "display_name")
    ordering = ("username",)
    readonly_fields = ("last_login", "date_joined", "external_id")
    fieldsets = (
        (None, {"fields": ("username", "display_name", "password")}),
        (
            "Rights",
            {
                "fields": (
                    "is_active",
                    "is_staff",
                    "is_superuser",
                    "groups",
                    "user_permissions",
                )
            },
        ),
        ("Record", {"fields": ("last_login", "date_joined", "external_id")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "username",
                    "display_name",
                    "usable_password",
                    "password1",
                    "password2",
                )
            },
        ),
    )


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin[AccessToken]):
    list_display = ("name", "user", "created_at", "last_used_at", "expires_at")
    list_filter = ("created_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    fields = ("user", "name", "created_at", "last_used_at", "expires_at")

    @override
    def has_delete_permission(
        self, request: HttpRequest, obj: AccessToken | None = None
    ) -> bool:
        # Revoking a token is all there is to it.
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


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
        # Revoking it.
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
        # Withdrawing it.
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin[Conversation]):
    list_display = ("__str__", "kind", "last_sequence", "last_activity_at")
    list_filter = ("kind", "last_activity_at")
    search_fields = ("title", "participants__user__username")


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin[Participant]):
    list_display = ("user", "conversation", "role", "joined_at")
    list_filter = ("role", "joined_at")
    list_select_related = ("user", "conversation")
    search_fields = ("user__username", "conversation__title")


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
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
    search_fields = ("content", "sender__username", "receiver__username")


@admin.register(MessageHistory)
class MessageHistoryAdmin(ReadOnlyAdmin[MessageHistory]):
    list_display = (
        "content_preview",
        "message_id",
        "version",
        "edited_by",
        "edited_at",
    )
    list_filter = ("edited_at",)
    list_select_related = ("edited_by",)
    search_fields = ("old_content", "edited_by__username")

    @admin.display(description="old content")
    def content_preview(self, entry: MessageHistory) -> str:
        return preview(entry.old_content)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin[Notification]):
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
    search_fields = ("user__username", "message__content")

    @admin.display(description="message")
    def content_preview(self, notification: Notification) -> str:
        return notification.message.content_preview


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin[Block]):
    list_display = ("blocker", "blocked", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("blocker", "blocked")
    search_fields = ("blocker__username", "blocked__username")


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin[Session]):
    list_display = ("user", "expire_date")
    list_filter = ("expire_date",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    # Never the key, which is as good as a password.
    list_display_links = None
    fields = ("user", "expire_date")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin[IdempotencyKey]):
    list_display = ("user", "status", "created_at")
    list_filter = ("status", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fields = ("user", "status", "created_at")


@admin.register(Installation)
class InstallationAdmin(ReadOnlyAdmin[Installation]):
    list_display = ("epoch", "clock", "names")
