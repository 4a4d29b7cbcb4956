"""A link that signs one in to the demo, once and within a day; see decision 0039."""

from typing import Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils import timezone
from typing_extensions import override

from messaging.demo.accounts import demo_people
from messaging.models import User


class _LinkTokens(PasswordResetTokenGenerator):
    """Signed by the server's key, and void once the user has signed in by whatever way."""

    key_salt = "parley.demo.link"

    @override
    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        # To the microsecond, so that two sign-ins within a second are two.
        return f"{user.pk}/{user.password}/{user.last_login}/{timestamp}"


_TOKENS: Final = _LinkTokens()


def link_token() -> str | None:
    """A token for the first user of the demo; None if a link may not sign in as them."""
    user = _linked()
    return None if user is None else _TOKENS.make_token(user)


def user_of_link(token: str) -> User | None:
    """The user whom this token signs in, as long as nobody has used it."""
    user = _linked()
    return user if user is not None and _TOKENS.check_token(user, token) else None


def claim_link(token: str) -> User | None:
    """Use the token up, and return the user to sign in; None if that is over."""
    user = user_of_link(token)
    if user is None:
        return None
    # Of two at once, one finds the time that it has read.
    unused = User.objects.filter(pk=user.pk, last_login=user.last_login)
    return user if unused.update(last_login=timezone.now()) else None


def _linked() -> User | None:
    """Never staff, should an operator have given rights to somebody of the demo."""
    people = demo_people().filter(is_active=True, is_staff=False, is_superuser=False)
    return people.first()
