"""What forms say is ours: nothing of Django's own words is left in them."""

from collections.abc import Iterator
from typing import Final

import pytest
from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
    get_default_password_validators,
)
from django.core.validators import BaseValidator, ProhibitNullCharactersValidator
from django.http import QueryDict
from pytest_django import Settings

from chats.forms import (
    AdminSignInForm,
    DirectForm,
    GroupForm,
    PasswordForm,
    ProfileForm,
    RefusableForm,
    SignInForm,
    SignUpForm,
    TokenForm,
)
from messaging.errors import InvalidPasswordError
from messaging.models import User
from messaging.services.passwords import check_strength

SIGN_IN_FORMS: Final = (SignInForm, AdminSignInForm)


def _below(form: type[RefusableForm]) -> Iterator[type[RefusableForm]]:
    for each in form.__subclasses__():
        yield each
        yield from _below(each)


VALIDATORS: Final = (BaseValidator, ProhibitNullCharactersValidator)
FORMS: Final = (*SIGN_IN_FORMS, *_below(RefusableForm))


@pytest.fixture(autouse=True)
def invitations(settings: Settings) -> None:
    """So that signing up has all of its fields."""
    settings.PARLEY_REGISTRATION = "invite"


def _empty(form: type[forms.Form]) -> forms.Form:
    return DirectForm(None, {}) if form is DirectForm else form()


def _stock(field: forms.Field) -> dict[str, str]:
    """What Django says, by code: of the field's classes, and of its validators."""
    classes = reversed(type(field).__mro__)
    texts: dict[str, str] = {}
    for each in classes:
        texts |= getattr(each, "default_error_messages", {})
    for validator in field.validators:
        assert isinstance(validator, VALIDATORS)
        texts[validator.code] = str(validator.message)
    # A validator of each length has a text for one and another for many.
    return {code: str(text) for code, text in texts.items() if code != "max_length"}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_no_field_has_words_of_django(form: type[forms.Form]) -> None:
    for name, field in _empty(form).fields.items():
        ours = field.error_messages
        assert "max_length" in ours, name
        for code, text in _stock(field).items():
            assert code in ours, (name, code)
            assert str(ours[code]) != text, (name, code)


@pytest.mark.parametrize("form", SIGN_IN_FORMS, ids=lambda form: form.__name__)
def test_no_sign_in_has_words_of_django(form: type[SignInForm]) -> None:
    stock = {
        str(text)
        for django in (AuthenticationForm, AdminAuthenticationForm)
        for text in django.error_messages.values()
    }
    assert form.error_messages.keys() >= AuthenticationForm.error_messages.keys()
    assert not stock & {str(text) for text in form.error_messages.values()}


@pytest.mark.parametrize(
    ("form", "posted", "said"),
    [
        (SignUpForm, "", {"username": "Fill this in.", "password": "Fill this in."}),
        (SignUpForm, "invite_code=", {"invite_code": "Fill this in."}),
        (GroupForm, "title=%20", {"title": "Fill this in."}),
        (
            TokenForm,
            f"name={'x' * 101}",
            {"name": "Write at most 100 characters; these are 101."},
        ),
        (TokenForm, "days=7", {"days": "Choose one of these."}),
        (ProfileForm, "who_may_add=us", {"who_may_add": "Choose one of these."}),
        (ProfileForm, "shows_presence=x", {"shows_presence": "Choose one of these."}),
        (ProfileForm, "send_key=x", {"send_key": "Choose one of these."}),
        (
            PasswordForm,
            "current=%00",
            {"current": "This holds a character that no text can have."},
        ),
    ],
)
def test_what_is_wrong_is_said_in_our_words(
    form: type[RefusableForm], posted: str, said: dict[str, str]
) -> None:
    errors = form(QueryDict(posted or "x=")).errors
    assert {name: list(errors[name]) for name in said} == {
        name: [text] for name, text in said.items()
    }


@pytest.mark.parametrize(
    ("validator", "password", "said"),
    [
        (
            MinimumLengthValidator,
            "qz7-kw",
            "This password is too short. Take at least 8 characters.",
        ),
        (
            UserAttributeSimilarityValidator,
            "annabel-hopkins",
            "This password is too much like your username.",
        ),
        (
            CommonPasswordValidator,
            "password1",
            "This password is one of the first that anybody would try.",
        ),
        (
            NumericPasswordValidator,
            "8264095172",
            "This password is nothing but digits.",
        ),
    ],
)
def test_why_a_password_is_weak_is_said_in_our_words(
    validator: type[object], password: str, said: str
) -> None:
    used = [type(each) for each in get_default_password_validators()]
    assert validator in used
    assert len(used) == 4
    with pytest.raises(InvalidPasswordError) as refused:
        check_strength(password, user=User(username="annabel-hopkins"), field="x")
    assert refused.value.reasons == [said]
