"""Receivers. Each decides whether; a service decides what."""

from typing import TypedDict

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.contrib.admin.models import LogEntry
from django.db.models.signals import (
    post_delete,
    post_migrate,
    post_save,
    pre_delete,
    pre_save,
)
from django.dispatch import receiver
from typing_extensions import Unpack

from messaging.models import Message, User
from messaging.services.deletion import begin_deletion, finish_deletion
from messaging.services.installation import ensure_installation
from messaging.services.messages import place_message, record_edit
from messaging.services.notifications import notify_receivers
from messaging.services.users import note_rename


class SaveSignal(TypedDict, total=False):
    """What Django sends along with `pre_save` and `post_save`."""

    signal: object
    using: str
    raw: bool
    created: bool
    update_fields: frozenset[str] | None


class DeleteSignal(TypedDict, total=False):
    """What Django sends along with `pre_delete` and `post_delete`."""

    signal: object
    using: str
    origin: object


class MigrateSignal(TypedDict, total=False):
    """What Django sends along with `post_migrate`, as far as it is of use here."""

    signal: object
    apps: Apps
    using: str
    verbosity: int
    interactive: bool
    stdout: object
    plan: object


@receiver(pre_save, sender=Message, dispatch_uid="messaging.message.pre_save")
def on_message_pre_save(
    sender: type[Message], instance: Message, **kwargs: Unpack[SaveSignal]
) -> None:
    if kwargs["raw"]:
        return
    if instance._state.adding:
        place_message(message=instance)
    elif "content" in (kwargs["update_fields"] or ()):
        record_edit(message=instance)


@receiver(post_save, sender=Message, dispatch_uid="messaging.message.post_save")
def on_message_post_save(
    sender: type[Message], instance: Message, **kwargs: Unpack[SaveSignal]
) -> None:
    if kwargs["created"] and not kwargs["raw"]:
        notify_receivers(message=instance)


@receiver(pre_save, sender=User, dispatch_uid="messaging.user.pre_save")
def on_user_pre_save(
    sender: type[User], instance: User, **kwargs: Unpack[SaveSignal]
) -> None:
    fields = kwargs["update_fields"]
    renames = fields is None or not fields.isdisjoint({"username", "display_name"})
    if renames and not kwargs["raw"] and not instance._state.adding:
        note_rename(user=instance)


@receiver(pre_delete, sender=User, dispatch_uid="messaging.user.pre_delete")
def on_user_pre_delete(
    sender: type[User], instance: User, **kwargs: Unpack[DeleteSignal]
) -> None:
    begin_deletion(user=instance)


@receiver(post_delete, sender=User, dispatch_uid="messaging.user.post_delete")
def on_user_post_delete(
    sender: type[User], instance: User, **kwargs: Unpack[DeleteSignal]
) -> None:
    if instance.deletion is not None:
        finish_deletion(deletion=instance.deletion)


@receiver(pre_save, sender=LogEntry, dispatch_uid="messaging.log_entry.pre_save")
def on_log_entry_pre_save(
    sender: type[LogEntry], instance: LogEntry, **kwargs: Unpack[SaveSignal]
) -> None:
    # The admin's log outlives accounts and messages, and must not name them.
    instance.object_repr = f"{instance.content_type} {instance.object_id}"


@receiver(post_migrate, dispatch_uid="messaging.installation.post_migrate")
def on_messaging_post_migrate(
    sender: AppConfig, **kwargs: Unpack[MigrateSignal]
) -> None:
    # Also after a flush, which empties the table, and names no state of the models.
    if sender.label == "messaging":
        ensure_installation(apps=kwargs.get("apps", apps))
