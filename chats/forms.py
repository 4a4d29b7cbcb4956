"""Forms of the web pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar, Final, Literal, cast

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.urls import reverse_lazy
from typing_extensions import override

from chats.idempotency import new_form_id
from edge.addresses import client_address
from messaging.errors import (
    ConflictError,
    DomainError,
    InvalidError,
    InvalidPasswordError,
    InvalidSetupCodeError,
    InviteRequiredError,
    LimitsUnavailableError,
    NotFoundError,
    RateLimitedError,
    SignInError,
    WrongPasswordError,
)
from messaging.models.users import SendKey, WhoMayAdd
from messaging.services.invites import MOST_USES
from messaging.services.limits import counted_password_attempt

# In place of Django's own words.
_WORDS: Final = MappingProxyType(
    {
        "required": "Fill this in.",
        "invalid_choice": "Choose one of these.",
        "max_length": "Write at most %(limit_value)d characters;"
        " these are %(show_value)d.",
        "null_characters_not_allowed": "This holds a character that no text can have.",
    }
)


def _use_own_words(fields: Mapping[str, forms.Field]) -> None:
    for field in fields.values():
        field.error_messages.update(_WORDS)


class SignInForm(AuthenticationForm):
    """Django's form, but each attempt is counted before the password is hashed.

    `refusal` is the limit that kept the password from being checked.
    """

    error_messages = {  # noqa: RUF012  # Django's form copies nothing of it
        "invalid_login": "There is no account with this username and password.",
        "inactive": "This account is suspended.",
    }

    refusal: RateLimitedError | LimitsUnavailableError | None = None

    @override
    def __init__(
        self, request: HttpRequest | None = None, *args: object, **kwargs: object
    ) -> None:
        super().__init__(request, *args, **kwargs)
        _use_own_words(self.fields)

    @override
    def clean(self) -> dict[str, object]:
        username = cast("str | None", self.cleaned_data.get("username"))
        if self.request is None or username is None:
            return super().clean()
        address = client_address(self.request)
        try:
            with counted_password_attempt(username=username, address=address):
                return self._authenticated()
        except (RateLimitedError, LimitsUnavailableError) as error:
            self.refusal = error
            raise ValidationError(str(error), code="refused") from error
        except SignInError as error:
            # Show Django's own error, which has the message for the form.
            raise error.__cause__ or error from None

    def _authenticated(self) -> dict[str, object]:
        try:
            return super().clean()
        except ValidationError as error:
            raise SignInError("Unknown username or wrong password.") from error


class AdminSignInForm(SignInForm, AdminAuthenticationForm):
    """The same form for the admin."""

    error_messages = {  # noqa: RUF012  # as above
        **SignInForm.error_messages,
        "invalid_login": "There is no staff account with this username and password.",
    }


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
    """A form that a service may refuse; `refusal` is the error that it raised."""

    refusal: DomainError | None = None
    # What is shown in the form; another error has a page of its own.
    shown_errors: ClassVar[tuple[type[DomainError], ...]] = (DomainError,)
    # The fields of errors that name none themselves.
    error_fields: ClassVar[Mapping[type[DomainError], str]] = {}

    @override
    def __init__(
        self, data: QueryDict | None = None, *, initial: dict[str, object] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        _use_own_words(self.fields)

    def showing_refusal(self) -> "_ShownRefusal":
        """If the body of the `with` is refused, show it in the form and go on after it."""
        return _ShownRefusal(self)

    def show(self, error: DomainError) -> None:
        """Show an error at the field it is about, or above the form."""
        field = self._field_of(error)
        self.add_error(field if field in self.fields else None, str(error))

    def _field_of(self, error: DomainError) -> str | None:
        if isinstance(error, InvalidError):
            return error.field
        of_kinds = self.error_fields.items()
        return next(
            (field for kind, field in of_kinds if isinstance(error, kind)), None
        )


@dataclass(frozen=True, slots=True)
class _ShownRefusal:
    """A class, since only of a class mypy knows that it may go on after an error."""

    form: RefusableForm

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: object, error: BaseException | None, traceback: object
    ) -> bool:
        if not isinstance(error, self.form.shown_errors):
            return False
        self.form.refusal = error
        self.form.show(error)
        return True


class SignUpForm(RefusableForm):
    """Does not check names: the service does, by the domain's rules."""

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
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        help_text="The end of the link that you were sent, after /join/.",
    )

    @override
    def __init__(
        self, data: QueryDict | None = None, *, invite_code: str | None = None
    ) -> None:
        super().__init__(data, initial={"invite_code": invite_code})
        if settings.PARLEY_REGISTRATION == "invite":
            return
        if invite_code or (data and data.get("invite_code")):
            # Nobody needs to see it: it only says which group to join.
            self.fields["invite_code"].required = False
            self.fields["invite_code"].widget = forms.HiddenInput()
        else:
            del self.fields["invite_code"]

    @override
    def clean(self) -> None:
        if "invite_code" in self.errors:
            self.refusal = InviteRequiredError("An account here takes an invite code.")


class SetUpForm(RefusableForm):
    error_fields: ClassVar = {InvalidSetupCodeError: "code"}

    code = forms.CharField(
        label="Code",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        help_text="The server printed it when it started. manage.py setup_code shows"
        " it again.",
    )
    server_name = forms.CharField(
        label="Name of this place",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Shown at the top of every page: your team, your family, your club.",
    )
    username = SignUpForm.base_fields["username"]
    display_name = SignUpForm.base_fields["display_name"]
    password = _new_password("Password")


class PasswordForm(RefusableForm):
    error_fields: ClassVar = {WrongPasswordError: "current"}

    current = _current_password()
    new_password = _new_password("New password")

    @override
    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.fields["current"].label = "Current password"


class DeletionForm(RefusableForm):
    shown_errors: ClassVar = (
        WrongPasswordError,
        RateLimitedError,
        LimitsUnavailableError,
    )
    error_fields: ClassVar = dict.fromkeys(shown_errors, "password")

    password = _current_password()


class ServerNameForm(RefusableForm):
    server_name = forms.CharField(
        label="Name of this place",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Shown at the top of every page.",
    )


def _own_password() -> forms.CharField:
    field = _current_password()
    field.label = "Your own password"
    return field


class OthersDeletionForm(DeletionForm):
    password = _own_password()


class OthersPasswordForm(RefusableForm):
    shown_errors: ClassVar = (*DeletionForm.shown_errors, InvalidPasswordError)
    error_fields: ClassVar = dict.fromkeys(DeletionForm.shown_errors, "password")

    new_password = _new_password("Their new password")
    password = _own_password()

    @override
    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.fields["new_password"].required = False
        self.fields[
            "new_password"
        ].help_text = "Left empty, one is made, and shown to you once."


class ProfileForm(RefusableForm):
    display_name = forms.CharField(
        label="Your name",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="As others see it, on everything you wrote.",
    )
    who_may_add = forms.ChoiceField(
        label="Who may add you to groups",
        choices=WhoMayAdd.choices,
        # A form without this field changes only the name.
        required=False,
        help_text="Groups that you are in stay. Whoever is refused is not told why.",
    )
    shows_presence = forms.TypedChoiceField(
        label="Who sees when you are online",
        choices=[
            (True, "People you share a conversation with"),
            (False, "Nobody, and you see it of nobody"),
        ],
        coerce=lambda value: value == "True",
        empty_value=None,
        # As above.
        required=False,
        help_text="And when you were last seen. Whom you block never sees it.",
    )
    send_key = forms.ChoiceField(
        label="Send messages by",
        choices=SendKey.choices,
        # As for `who_may_add`.
        required=False,
        help_text="Ctrl and Enter always send. On a touch keyboard Enter breaks the"
        " line.",
    )


class TokenForm(RefusableForm):
    """Asks for the password, since a token outlives the session in which it is created."""

    error_fields: ClassVar = {WrongPasswordError: "password"}

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


class InvitationForm(RefusableForm):
    uses = forms.TypedChoiceField(
        label="For how many people",
        coerce=int,
        choices=[(1, "One"), (5, "5"), (25, "25"), (100, "100"), (MOST_USES, "1,000")],
        initial=1,
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        coerce=int,
        choices=[(1, "A day"), (7, "A week"), (30, "30 days"), (365, "A year")],
        initial=7,
    )

    def lifetime(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])


class TitleForm(RefusableForm):
    title = forms.CharField(
        label="Title", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


def _name_field(kind: Literal["person", "people"]) -> forms.TextInput:
    """A field for one username or several, which name_completion.js completes."""
    return forms.TextInput(
        attrs={
            "autocapitalize": "none",
            "autocomplete": "off",
            f"data-{kind}": reverse_lazy("people_options"),
        }
    )


class AddForm(RefusableForm):
    error_fields: ClassVar = {NotFoundError: "username", ConflictError: "username"}

    username = forms.CharField(
        label="Add someone by username", widget=_name_field("person")
    )


class DirectForm(RefusableForm):
    participant = forms.CharField(
        label="Username",
        widget=_name_field("person"),
    )

    @override
    def __init__(self, data: QueryDict | None, asked: Mapping[str, object]) -> None:
        super().__init__(data, initial={"participant": asked.get("to", "")})

    def username(self) -> str:
        name: str = self.cleaned_data["participant"]
        return name.removeprefix("@")


class GroupForm(RefusableForm):
    title = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))
    participants = forms.CharField(
        label="Usernames",
        required=False,
        widget=_name_field("people"),
        help_text="Separated by commas or spaces. You can add people later, too.",
    )
    form = forms.CharField(
        required=False, widget=forms.HiddenInput, initial=new_form_id
    )

    def usernames(self) -> list[str]:
        names: str = self.cleaned_data["participants"]
        return [name.removeprefix("@") for name in names.replace(",", " ").split()]
