"""Receivers of signals. A receiver decides whether to act, and a service decides what to do."""

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
from messaging.models.users import pre_delete_all
from messaging.services.access_revocations import record_changed_access
from messaging.services.deletion import (
    begin_deletion,
    finish_deletion,
    prepare_deletions,
)
from messaging.services.installation import ensure_installation
from messaging.services.messages import place_message, record_edit
from messaging.services.names import add_entries, normalise_names
from messaging.services.notifications import notify_receivers


class SaveSignal(TypedDict, total=False):
    """The arguments that Django sends with `pre_save` and `post_save`."""

    signal: object
    using: str
    raw: bool
    created: bool
    update_fields: frozenset[str] | None


class DeleteSignal(TypedDict, total=False):
    """The arguments that Django sends with `pre_delete` and `post_delete`."""

    signal: object
    using: str
    origin: object


class MigrateSignal(TypedDict, total=False):
    """Those arguments of `post_migrate` that are used here."""

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
    # A new message is placed; a stored one is edited, if its content is among the
    # fields.
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
    if kwargs["raw"]:
        return
    fields = kwargs["update_fields"]
    # Without `update_fields`, any field may have changed.
    if fields is None or not fields.isdisjoint({"username", "display_name"}):
        normalise_names(user=instance)
    access = fields is None or not fields.isdisjoint({"password", "is_active"})
    # A new account has no credentials yet.
    if access and not instance._state.adding:
        record_changed_access(user=instance)


@receiver(post_save, sender=User, dispatch_uid="messaging.user.post_save")
def on_user_post_save(
    sender: type[User], instance: User, **kwargs: Unpack[SaveSignal]
) -> None:
    if kwargs["created"] and not kwargs["raw"]:
        add_entries([instance])


@receiver(pre_delete_all, sender=User, dispatch_uid="messaging.user.pre_delete_all")
def on_user_pre_delete_all(
    sender: type[User], user_ids: frozenset[int], **kwargs: object
) -> None:
    prepare_deletions(user_ids=user_ids)


@receiver(pre_delete, sender=User, dispatch_uid="messaging.user.pre_delete")
def on_user_pre_delete(
    sender: type[User], instance: User, **kwargs: Unpack[DeleteSignal]
) -> None:
    begin_deletion(user=instance)


@receiver(post_delete, sender=User, dispatch_uid="messaging.user.post_delete")
def on_user_post_delete(
    sender: type[User], instance: User, **kwargs: Unpack[DeleteSignal]
) -> None:
    # It is None if `pre_delete` did not run.
    if instance.deletion is not None:
        finish_deletion(deletion=instance.deletion)


@receiver(pre_save, sender=LogEntry, dispatch_uid="messaging.log_entry.pre_save")
def on_log_entry_pre_save(
    sender: type[LogEntry], instance: LogEntry, **kwargs: Unpack[SaveSignal]
) -> None:
    # The log of the admin outlives accounts and messages: it must not contain their
    # names.
    instance.object_repr = f"{instance.content_type} {instance.object_id}"


@receiver(post_migrate, dispatch_uid="messaging.installation.post_migrate")
def on_messaging_post_migrate(
    sender: AppConfig, **kwargs: Unpack[MigrateSignal]
) -> None:
    # A flush, which empties the table, sends this signal too, but without `apps`.
    if sender.label == "messaging":
        ensure_installation(apps=kwargs.get("apps", apps))
