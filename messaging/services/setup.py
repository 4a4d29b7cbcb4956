"""The first run: whoever started the server becomes the administrator of an empty installation.

They show that they did by a code, which the server prints at its start: see decision 0037.
"""

import base64
from typing import Final

from django.conf import settings
from django.db import IntegrityError
from django.utils.crypto import constant_time_compare, salted_hmac

from messaging.changes import open_change
from messaging.errors import AlreadySetUpError, InvalidSetupCodeError
from messaging.models import Installation, User
from messaging.models.installation import random_key
from messaging.services.users import prepared_user
from messaging.text import clean_server_name

_SALT: Final = "messaging.setup"
# 80 bits: nobody guesses them, and they can be typed.
_CODE_BYTES: Final = 10
_GROUP: Final = 4


def is_empty() -> bool:
    """Whether this installation has no account, so that its first run is still to come."""
    return not User.objects.exists()


def setup_code() -> str:
    """The code that makes the first account an administrator.

    It is made of the secret key and of a key in the database whenever it is asked for:
    it is stored nowhere, the same in all processes and after a restart, and of no use
    to who has only one of the two.

    Raises:
        AlreadySetUpError
    """
    _require_empty()
    made = _code_of(_setup_key())
    return "-".join(made[at : at + _GROUP] for at in range(0, len(made), _GROUP))


def set_up(
    *,
    code: str,
    server_name: str,
    username: str,
    password: str,
    display_name: str | None,
) -> User:
    """Name the installation, and create its first account, which is a superuser.

    If several people do so at once, one succeeds.

    Raises:
        AlreadySetUpError: there is an account.
        InvalidSetupCodeError
        InvalidServerNameError, InvalidUsernameError, InvalidDisplayNameError
        InvalidPasswordError
    """
    # Before a password is hashed for them.
    _require_empty()
    _require_code(code, _setup_key())
    name = clean_server_name(server_name)
    user = prepared_user(username, display_name, password)
    user.is_staff = user.is_superuser = True
    only = Installation.objects.filter(pk=Installation.ONLY_ID)
    try:
        with open_change() as change:
            setup_key = change.locked(only).values_list("setup_key", flat=True).get()
            _require_empty()
            _require_code(code, setup_key)
            user.save()
            # The code is of no use any more, should all accounts be deleted one day.
            change.update(only, server_name=name, setup_key=random_key())
    except IntegrityError as error:
        # Somebody registered by the same name meanwhile, so that it is not the first.
        raise _already_set_up() from error
    return user


def _require_empty() -> None:
    if not is_empty():
        raise _already_set_up()


def _require_code(typed: str, setup_key: str) -> None:
    """Case, spaces and hyphens make no difference."""
    kept = "".join(sign for sign in typed if sign.isascii() and sign.isalnum()).upper()
    if not constant_time_compare(kept, _code_of(setup_key)):
        raise InvalidSetupCodeError("This is not the code that the server printed.")


def _setup_key() -> str:
    return Installation.objects.values_list("setup_key", flat=True).get()


def _code_of(setup_key: str) -> str:
    made = salted_hmac(
        _SALT, setup_key, secret=settings.SECRET_KEY, algorithm="sha256"
    ).digest()
    return base64.b32encode(made[:_CODE_BYTES]).decode()


def _already_set_up() -> AlreadySetUpError:
    return AlreadySetUpError("This place has its administrator already.")
