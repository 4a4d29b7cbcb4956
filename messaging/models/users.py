import re
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Final

from django.conf import settings
from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, QuerySet
from django.db.models.base import ModelBase
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower
from django.dispatch import Signal
from django.utils import timezone
from typing_extensions import override

from messaging.deletion_counts import Deletion
from messaging.folding import WORD_MAX_LENGTH
from messaging.unit_of_work import unit_of_work

USERNAME_MAX_LENGTH: Final = 64
DISPLAY_NAME_MAX_LENGTH: Final = 100
# Hashing a longer password would take time and add no security.
PASSWORD_MAX_LENGTH: Final = 1000

# Each is a parameter of one statement, twice: SQLite takes 32,766 and PostgreSQL 65,535.
MOST_DELETED_AT_ONCE: Final = 10_000

# Sent by `User.objects.….delete()`, within its transaction, with the `user_ids` of all:
# `pre_delete` comes one by one, and locks have to be taken in order.
pre_delete_all: Final = Signal()

# ASCII only: both databases fold its case alike, and no two different names look the
# same. No dot or hyphen at either end, so that "@bob." at the end of a sentence
# mentions bob.
USERNAME_PATTERN: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,62}[A-Za-z0-9_])?"
validate_username = RegexValidator(
    re.compile(rf"^{USERNAME_PATTERN}\Z"),
    "Use 1 to 64 letters, digits, '_', '.' and '-'; '.' and '-' only inside.",
)


class ByteOrderedCharField(models.CharField[str, str]):
    """Text that both databases compare byte by byte.

    PostgreSQL would otherwise use the locale's order, in which names with a common
    prefix need not be adjacent.
    """

    @override
    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, str | None]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class WhoMayAdd(models.TextChoices):
    """Who may add a user to groups."""

    EVERYONE = "everyone", "Everyone"
    CONTACTS = "contacts", "People I have written to"
    NOBODY = "nobody", "Nobody"


class SendKey(models.TextChoices):
    """The key that sends a message; the other one of the two breaks the line."""

    ENTER = "enter", "Enter; Shift and Enter break the line"
    SHIFT_ENTER = "shift_enter", "Shift and Enter; Enter breaks the line"


def default_who_may_add() -> str:
    """The setting of new accounts, until their users change it."""
    default: str = settings.PARLEY_WHO_MAY_ADD
    return default


class UserQuerySet(QuerySet["User"]):
    @override
    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete accounts with all that names them, in one transaction.

        Raises:
            ValueError: they are more than `MOST_DELETED_AT_ONCE`; none is deleted.
        """
        # As in `User.delete()`.
        with unit_of_work(using=self.db, savepoint=False):
            user_ids = self._few_ids()
            pre_delete_all.send(User, user_ids=user_ids)
            # Rows that match only since then are not locked: leave them.
            return super(UserQuerySet, self.filter(pk__in=user_ids)).delete()

    def _few_ids(self) -> frozenset[int]:
        ids = self.values_list("pk", flat=True)[: MOST_DELETED_AT_ONCE + 1]
        if len(ids) > MOST_DELETED_AT_ONCE:
            raise ValueError(f"Delete at most {MOST_DELETED_AT_ONCE} users at once.")
        return frozenset(ids)


class UserManager(BaseUserManager["User"]):
    @override
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

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
    """A person. Usernames are unique in any case."""

    username = models.CharField(
        max_length=USERNAME_MAX_LENGTH, unique=True, validators=[validate_username]
    )
    # Computed by the database, so that no write can make two names that differ in case
    # alone. The index serves sign-in and the search for people.
    username_key = models.GeneratedField(
        expression=Lower("username"),
        output_field=ByteOrderedCharField(max_length=USERNAME_MAX_LENGTH),
        db_persist=True,
        unique=True,
    )
    display_name = models.CharField(max_length=DISPLAY_NAME_MAX_LENGTH)
    # Both names, folded, to find any part of them in a small number of rows: see
    # messaging/folding.py.
    folded_name = models.TextField(default="", editable=False)
    # The user's id in the files of an import, or in the product that created the
    # account; any characters.
    external_id = models.CharField(
        max_length=255, null=True, blank=True, unique=True, editable=False
    )
    who_may_add = models.CharField(
        "who may add them to groups",
        max_length=8,
        choices=WhoMayAdd,
        default=default_who_may_add,
    )
    # Who hides their presence sees that of nobody: see services/presence.py.
    shows_presence = models.BooleanField(
        "shows when they are online", default=True, db_default=True
    )
    send_key = models.CharField(
        "key that sends a message",
        max_length=11,
        choices=SendKey,
        default=SendKey.ENTER,
        db_default=SendKey.ENTER,
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    # Set from the start of the account's deletion: see services/deletion.py.
    deletion: Deletion | None = None

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        indexes = (
            # A page that everybody can read counts them.
            models.Index(
                name="user_staff",
                fields=["is_staff"],
                condition=Q(is_staff=True) | Q(is_superuser=True),
            ),
        )

    @override
    def __str__(self) -> str:
        return self.username

    @override
    def clean(self) -> None:
        # Forms compare `username` exactly; the database compares it in lower case.
        super().clean()
        # None if the form has already refused it.
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
        # The transaction includes the signals: versions of pages must not be raised
        # before the new name can be read.
        names = {"username", "display_name"}
        if update_fields is not None and not names.isdisjoint(update_fields):
            update_fields = {*update_fields, "folded_name"}
        with unit_of_work(using=using):
            super().save(
                force_insert=force_insert,
                force_update=force_update,
                using=using,
                update_fields=update_fields,
            )

    @override
    def delete(
        self, using: str | None = None, keep_parents: bool = False
    ) -> tuple[int, dict[str, int]]:
        # One unit of work around both signals: the locks of `pre_delete` are held until
        # `post_delete` has erased the rows. No savepoint, since Django opens a
        # transaction itself.
        with unit_of_work(using=using, savepoint=False):
            return super().delete(using=using, keep_parents=keep_parents)


class NameEntry(models.Model):
    """An entry of the search index of people: a folded word of a user's names.

    services/names.py writes an entry for each word by which the user may be found. A
    search reads entries in order, so that a page costs the same for any number of
    users.
    """

    user = models.ForeignKey(
        User,
        on_delete=models.DO_NOTHING,
        related_name="name_entries",
        # No index of its own: that on (user, entry) begins with this column.
        db_index=False,
    )
    # The folded word, a space and the username in lower case: search results have this
    # order.
    entry = ByteOrderedCharField(max_length=WORD_MAX_LENGTH + 1 + USERNAME_MAX_LENGTH)

    class Meta:
        verbose_name_plural = "name entries"
        constraints = (
            # Its index is also the order of search results.
            models.UniqueConstraint(name="name_entry_once", fields=["entry"]),
        )
        indexes = (
            # Tells whether another word of the same user matches.
            models.Index(name="name_entry_of_user", fields=["user", "entry"]),
        )

    @override
    def __str__(self) -> str:
        return f"a word of the name of {self.user_id}"


class AccessTokenQuerySet(QuerySet["AccessToken"]):
    def valid_at(self, now: datetime | Combinable) -> "AccessTokenQuerySet":
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now), user__is_active=True
        )


class AccessToken(models.Model):
    """A bearer token. Only its SHA-256 is stored: a stolen database holds no usable token."""

    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="access_tokens"
    )
    name = models.CharField(max_length=100, blank=True)
    # Every request looks this up, by the index of `unique`.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Up to a minute out of date, to save writes; at first, the time of creation.
    last_used_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    @override
    def __str__(self) -> str:
        return f"{self.name or 'token'} of {self.user_id}"
