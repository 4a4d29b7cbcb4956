import re
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Final

from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, QuerySet
from django.db.models.base import ModelBase
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower
from django.utils import timezone
from typing_extensions import override

from messaging.receipts import Deletion

USERNAME_MAX_LENGTH: Final = 64
DISPLAY_NAME_MAX_LENGTH: Final = 100
# Hashing a longer one would be work for nothing.
PASSWORD_MAX_LENGTH: Final = 1000

# ASCII only: both databases fold its case alike, and no two names look the same.
# No dot or hyphen at either end, so that "@bob." at the end of a sentence is bob.
USERNAME_PATTERN: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,62}[A-Za-z0-9_])?"
validate_username = RegexValidator(
    re.compile(rf"^{USERNAME_PATTERN}\Z"),
    "Use 1 to 64 letters, digits, '_', '.' and '-'; '.' and '-' only inside.",
)


class ByteOrderedCharField(models.CharField[str, str]):
    """Text that both databases compare byte by byte.

    PostgreSQL would otherwise order by the locale's rules, in which the names
    with one prefix need not stand together.
    """

    @override
    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, str | None]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class UserManager(BaseUserManager["User"]):
    @override
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username_key=(username or "").lower())

    def create_user(
        self, username: str, password: str | None = None, display_name: str = ""
    ) -> "User":
        return self._create(username, password, display_name, is_staff=False)

    def create_superuser(
        self, username: str, password: str | None = None, display_name: str = ""
    ) -> "User":
        return self._create(username, password, display_name, is_staff=True)

    def _create(
        self, username: str, password: str | None, display_name: str, *, is_staff: bool
    ) -> "User":
        user = self.model(
            username=username,
            display_name=display_name or username,
            is_staff=is_staff,
            is_superuser=is_staff,
        )
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Usernames are unique whatever their case."""

    username = models.CharField(
        max_length=USERNAME_MAX_LENGTH, unique=True, validators=[validate_username]
    )
    # Kept by the database, so that no write can make two names differ in case alone.
    # Looked up at sign-in; read in order by the search for people.
    username_key = models.GeneratedField(
        expression=Lower("username"),
        output_field=ByteOrderedCharField(max_length=USERNAME_MAX_LENGTH),
        db_persist=True,
        unique=True,
    )
    display_name = models.CharField(max_length=DISPLAY_NAME_MAX_LENGTH)
    # The name an import knew the person by, whatever characters it has.
    external_id = models.CharField(
        max_length=255, null=True, blank=True, unique=True, editable=False
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    # Set while and after the account is deleted: see services/deletion.py.
    deletion: Deletion | None = None

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    @override
    def __str__(self) -> str:
        return self.username

    @override
    def clean(self) -> None:
        # Forms compare `username` as it is; the database compares its lower case.
        super().clean()
        # None when the form has refused it already.
        key = (self.username or "").lower()
        if User.objects.exclude(pk=self.pk).filter(username_key=key).exists():
            raise ValidationError({"username": "This username is taken."})

    @override
    def save(
        self,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        # One transaction around the signals too: pages must not be renewed
        # before the new name can be read.
        with transaction.atomic(using=using):
            super().save(
                force_insert=force_insert,
                force_update=force_update,
                using=using,
                update_fields=update_fields,
            )


class AccessTokenQuerySet(QuerySet["AccessToken"]):
    def valid_at(self, now: datetime | Combinable) -> "AccessTokenQuerySet":
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now), user__is_active=True
        )


class AccessToken(models.Model):
    """A bearer token; only its SHA-256 is kept, so a stolen database signs nobody in."""

    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="access_tokens"
    )
    name = models.CharField(max_length=100, blank=True)
    # Looked up on every request; unique is the index that serves it.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # At most a minute behind; being made is a token's first use.
    last_used_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    @override
    def __str__(self) -> str:
        return f"{self.name or 'token'} of {self.user_id}"
