"""The admin's forms for accounts, and who may use them.

Staff with the permission `change_user` may change names, and suspend accounts. Only
superusers may grant rights, or change an account that has rights. Passwords are set, and
accounts deleted, on pages of the administration, which ask for one's own password first.
"""

from typing import TYPE_CHECKING, Final

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from typing_extensions import override

from messaging.access import gives_rights, may_touch
from messaging.administration.search import SearchAdmin
from messaging.errors import InvalidDisplayNameError
from messaging.models import User
from messaging.text import clean_display_name

if TYPE_CHECKING:
    ChangeForm = UserChangeForm[User]
else:
    # This class is generic in Django's stubs, but not at runtime.
    ChangeForm = UserChangeForm

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


class UserAdmin(SearchAdmin[User], DjangoUserAdmin[User]):
    """Without bulk actions: a page of the administration previews each deletion."""

    actions = None
    form = ChangedUserForm
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
        user = self.get_object(request, unquote(id))
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return _led_to(request, user, own="password", others="set_password")

    @override
    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        user = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, user):
            raise PermissionDenied
        return _led_to(request, user, own="delete_user", others="delete_person")


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


def _led_to(
    request: HttpRequest, user: User | None, *, own: str, others: str
) -> HttpResponse:
    """Lead to the page that does it, which asks for the password of whoever is there."""
    if user is None:
        raise Http404
    return redirect(own) if user == request.user else redirect(others, user.username)


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
