"""Forms of the web pages."""

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from typing_extensions import override

from chats.addresses import client_address
from chats.once import new_form_name
from messaging.errors import (
    DomainError,
    LimitsUnavailableError,
    RateLimitedError,
    SignInError,
)
from messaging.services.limits import counted_guess


class SignInForm(AuthenticationForm):
    """Django's, every try counted before its password is hashed.

    `refusal` is why nothing was tried.
    """

    refusal: RateLimitedError | LimitsUnavailableError | None = None

    @override
    def clean(self) -> dict[str, object]:
        username = cast("str | None", self.cleaned_data.get("username"))
        if self.request is None or username is None:
            return super().clean()
        address = client_address(self.request)
        try:
            with counted_guess(username=username, address=address):
                return self._tried()
        except (RateLimitedError, LimitsUnavailableError) as error:
            self.refusal = error
            raise ValidationError(str(error), code="refused") from error
        except SignInError as error:
            raise error.__cause__ or error from None

    def _tried(self) -> dict[str, object]:
        try:
            return super().clean()
        except ValidationError as error:
            raise SignInError("Unknown username or wrong password.") from error


class AdminSignInForm(SignInForm, AdminAuthenticationForm):
    """The same for the admin."""


def _current_password() -> forms.CharField:
    return forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        strip=False,
    )


def _new_password(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text="At least 8 characters; a few unrelated words make a good one.",
    )


class RefusableForm(forms.Form):
    """A form whose wish the domain may refuse; `refusal` is why it did."""

    refusal: DomainError | None = None


class SignUpForm(RefusableForm):
    """What the names may be is the domain's to say."""

    username = forms.CharField(
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none"}
        ),
        help_text="Letters, digits, and inside also _ . - ; others write to you by it.",
    )
    display_name = forms.CharField(
        label="Your name",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="As others see it. Without one, your username is shown.",
    )
    password = _new_password("Password")
    invite_code = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    @override
    def __init__(self, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # what request.POST is
        if settings.PARLEY_REGISTRATION != "invite":
            del self.fields["invite_code"]


class PasswordForm(RefusableForm):
    current = _current_password()
    new_password = _new_password("New password")

    @override
    def __init__(self, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # what request.POST is
        self.fields["current"].label = "Current password"


class DeletionForm(RefusableForm):
    password = _current_password()


class ProfileForm(RefusableForm):
    display_name = forms.CharField(
        label="Your name",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="As others see it, on everything you wrote.",
    )


class TokenForm(RefusableForm):
    """The password is asked for: a token outlives the browser it is made in."""

    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="What it is for, to tell it from others.",
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        coerce=int,
        choices=[(30, "30 days"), (90, "90 days"), (365, "A year"), (0, "Ever")],
        initial=90,
    )
    password = _current_password()

    def lifetime(self) -> timedelta | None:
        days: int = self.cleaned_data["days"]
        return timedelta(days=days) if days else None


class TitleForm(RefusableForm):
    title = forms.CharField(
        label="Title", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class AddForm(RefusableForm):
    username = forms.CharField(
        label="Add someone by username",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )


class DirectForm(RefusableForm):
    participant = forms.CharField(
        label="Username",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )

    @override
    def __init__(self, data: object, asked: Mapping[str, object]) -> None:
        super().__init__(data, initial={"participant": asked.get("to", "")})  # type: ignore[arg-type]  # what request.POST is

    def username(self) -> str:
        name: str = self.cleaned_data["participant"]
        return name.removeprefix("@")


class GroupForm(RefusableForm):
    title = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))
    participants = forms.CharField(
        label="Usernames",
        required=False,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
        help_text="Separated by commas or spaces. You can add people later, too.",
    )
    form = forms.CharField(
        required=False, widget=forms.HiddenInput, initial=new_form_name
    )

    def usernames(self) -> list[str]:
        names: str = self.cleaned_data["participants"]
        return [name.removeprefix("@") for name in names.replace(",", " ").split()]
