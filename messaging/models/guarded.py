"""Models whose rows only a `Change` writes: see messaging/changes.

Those of conversations, and the log and clock of events: all that a page, a client or an
event's position follows from.

No argument fits a parameter of type `Never`, so mypy refuses every call. Calls that
mypy does not check are refused at runtime.
"""

# These signatures contradict those of Django on purpose: no call fits both.
# mypy: disable-error-code="override, explicit-override"

from typing import TYPE_CHECKING, Never, NoReturn, TypeVar

from django.db import models
from django.db.models import QuerySet
from django.db.models.signals import class_prepared
from django.dispatch import receiver

from messaging.errors import BypassError

M_co = TypeVar("M_co", bound=models.Model, covariant=True)


def refuse(*_: object, **__: object) -> NoReturn:
    raise BypassError(
        "Conversations, participants, messages, their history, notifications, looks, "
        "events and the installation are written by a Change: see messaging/changes. "
        "A message is sent by Message.objects.create()."
    )


if TYPE_CHECKING:

    class UnalterableQuerySet(QuerySet[M_co]):
        def update(self, refused: Never, /, **values: object) -> object: ...
        def delete(self, refused: Never, /) -> object: ...
        def bulk_create(self, refused: Never, /) -> object: ...
        def bulk_update(self, refused: Never, /) -> object: ...
        def _raw_delete(self, refused: Never, /) -> object: ...

    class GuardedQuerySet(UnalterableQuerySet[M_co]):
        def create(self, refused: Never, /, **values: object) -> object: ...
        def get_or_create(self, refused: Never, /, **values: object) -> object: ...
        def update_or_create(self, refused: Never, /, **values: object) -> object: ...

    class UndeletableModel(models.Model):
        class Meta:
            abstract = True

        def delete(self, refused: Never, /) -> object: ...

    class GuardedModel(UndeletableModel):
        class Meta:
            abstract = True

        def save(self, refused: Never, /) -> object: ...

else:

    class UnalterableQuerySet(QuerySet):
        """Refuses updates and deletions of many rows; single instances may be saved."""

        update = delete = bulk_create = bulk_update = _raw_delete = refuse

    class GuardedQuerySet(UnalterableQuerySet):
        """Refuses to create rows as well."""

        create = get_or_create = update_or_create = refuse

    class UndeletableModel(models.Model):
        class Meta:
            abstract = True

        delete = refuse

    class GuardedModel(UndeletableModel):
        class Meta:
            abstract = True

        save = refuse


@receiver(class_prepared, dispatch_uid="messaging.guarded.class_prepared")
def on_class_prepared(sender: type[models.Model], **_: object) -> None:
    """Guard the base manager too, by which `add()` and `set()` of related managers update rows.

    An entry in the models' `Meta` would need a migration.
    """
    if issubclass(sender, UndeletableModel):
        sender._meta.base_manager_name = "objects"
