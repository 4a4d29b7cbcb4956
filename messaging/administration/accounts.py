"""The admin's forms for accounts, and who may use them.

Staff with the permission `change_user` may change names and passwords, and suspend
accounts. Only superusers may grant rights, or change an account that has rights.
"""

from typing import TYPE_CHECKING, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    UserChangeForm,
)
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from typing_extensions import override

from messaging.access import gives_rights, may_touch
from messaging.administration.search import SearchAdmin
from messaging.changes import open_change
from messaging.deletion_counts import described
from messaging.errors import InvalidDisplayNameError
from messaging.ids import UserId
from messaging.models import User
from messaging.services.deletion import preview_deletion
from messaging.services.looks import record_password
from messaging.services.passwords import sign_out
from messaging.text import clean_display_name

if TYPE_CHECKING:
    PasswordForm = AdminPasswordChangeForm[User]
    ChangeForm = UserChangeForm[User]
else:
    # These classes are generic in Django's stubs, but not at runtime.
    PasswordForm, ChangeForm = AdminPasswordChangeForm, UserChangeForm

PAGE_SIZE: Final = 50
_RIGHTS: Final = ("is_staff", "is_superuser", "groups", "user_permissions")


class _Named(forms.ModelForm[User]):
    """Validates the display name as the API does."""

    def clean_display_name(self) -> str:
        name: str = self.cleaned_data["display_name"]
        if name == self.initial.get("display_name"):
            return name
        try:
            return clean_display_name(name)
        except InvalidDisplayNameError as error:
            raise ValidationError(str(error)) from error


class NewUserForm(_Named, AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("username", "display_name")


class ChangedUserForm(_Named, ChangeForm):
    """The form to change an account."""


class NewPasswordForm(PasswordForm):
    """Setting a password revokes all sessions and tokens of the account."""

    @override
    def save(self, commit: bool = True) -> User:
        with open_change() as change:
            change.lock_users({self.user.pk})
            sign_out(user=self.user)
            user: User = super().save(commit=False)
            if commit:
                # Write the password alone: the form's other values are old if somebody
                # renamed the account meanwhile.
                user.save(update_fields=["password"])
        return user


class UserAdmin(SearchAdmin[User], DjangoUserAdmin[User]):
    """Without bulk actions, since the admin previews each deletion."""

    actions = None
    form = ChangedUserForm
    change_password_form = NewPasswordForm
    add_form = NewUserForm
    list_display = ("username", "display_name", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "is_staff", "date_joined")
    list_per_page = PAGE_SIZE
    search_fields = ("username", "display_name", "folded_name")
    ordering = ("username",)
    # Only the user changes these settings.
    _settings = ("who_may_add", "shows_presence", "send_key")
    readonly_fields = (*_settings, "last_login", "date_joined", "external_id")
    fieldsets = (
        (None, {"fields": ("username", "display_name", "password")}),
        ("Rights", {"fields": ("is_active", *_RIGHTS)}),
        (
            "Record",
            {"fields": readonly_fields},
        ),
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

    @override
    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    @override
    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    @override
    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        always = tuple(super().get_readonly_fields(request, obj))
        return always if _gives_rights(request) else (*always, *_RIGHTS)

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        # The form that staff get has no such fields: somebody forged the request.
        if not (_gives_rights(request) or request.POST.keys().isdisjoint(_RIGHTS)):
            raise PermissionDenied
        return super().changeform_view(request, object_id, form_url, extra_context)

    @override
    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Tell the user: whoever sets a password can sign in with it."""
        staff, user = request.user, self.get_object(request, unquote(id))
        if request.method != "POST" or user is None or not isinstance(staff, User):
            return super().user_change_password(request, id, form_url)
        with open_change() as change:
            # Both at once, and so in order: the form locks only the user.
            list(change.locked(User.objects.filter(pk__in={staff.pk, user.pk})))
            response = super().user_change_password(request, id, form_url)
            # Only a password that was set is answered by a redirect.
            if isinstance(response, HttpResponseRedirect):
                record_password(by=UserId(staff.pk), user_id=UserId(user.pk))
        return response

    @override
    def render_delete_form(
        self, request: HttpRequest, context: dict[str, object]
    ) -> HttpResponse:
        """Show our own counts: Django's leave out rows that signal receivers erase."""
        user = context["object"]
        if isinstance(user, User):
            context = {**context, "counts": described(preview_deletion(user=user))}
        return super().render_delete_form(request, context)

    @override
    def delete_model(self, request: HttpRequest, obj: User) -> None:
        super().delete_model(request, obj)
        if obj.deletion is not None:
            receipt = (
                f"{label}: {number}" for label, number in described(obj.deletion.counts)
            )
            self.message_user(
                request, f"This went with it. {'; '.join(receipt)}.", messages.INFO
            )


class GroupAdmin(SearchAdmin[Group], DjangoGroupAdmin):
    """For superusers only: members of a group get its permissions."""

    actions = None

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return _gives_rights(request)

    @override
    def has_change_permission(
        self, request: HttpRequest, obj: Group | None = None
    ) -> bool:
        return _gives_rights(request)

    @override
    def has_delete_permission(
        self, request: HttpRequest, obj: Group | None = None
    ) -> bool:
        return _gives_rights(request)


def _gives_rights(request: HttpRequest) -> bool:
    user: User | AnonymousUser = request.user
    return isinstance(user, User) and gives_rights(user)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    """Whether the signed-in staff may change this account, or any account if it is None.

    Only superusers may change an account that has rights.
    """
    staff: User | AnonymousUser = request.user
    return user is None or (
        isinstance(staff, User) and may_touch(staff=staff, user=user)
    )


admin.site.register(User, UserAdmin)
admin.site.unregister(Group)
admin.site.register(Group, GroupAdmin)
