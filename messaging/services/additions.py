"""Adding users to groups: each user decides who may do that.

A block and the setting `who_may_add` are refused in the same words, so that the refused
user cannot find out which of the two it is.
"""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from messaging.errors import NotDeliverableError
from messaging.ids import UserId
from messaging.models import Conversation, Message, User
from messaging.models.users import WhoMayAdd
from messaging.services.blocks import blocked_either_way


def require_addable(*, adder: UserId, users: Collection[User]) -> None:
    """Refuse if `adder` may not add one of these users to a group.

    Raises:
        NotDeliverableError: names all users who cannot be added. That reveals nothing
            new: trying them one by one would tell the same.
    """
    refusing = blocked_either_way(one=adder, others=[user.pk for user in users])
    refusing |= _unwilling(adder, users)
    names = sorted(f"@{user.username}" for user in users if user.pk in refusing)
    if names:
        # With one user, it is plain who is meant.
        named = f" You cannot add: {', '.join(names)}." if len(users) > 1 else ""
        raise NotDeliverableError(f"This cannot be delivered.{named}")


def _unwilling(adder: UserId, users: Collection[User]) -> frozenset[int]:
    """The users whose setting `who_may_add` excludes the adder."""
    reserved = {user.pk for user in users if user.who_may_add != WhoMayAdd.EVERYONE}
    asking = {user.pk for user in users if user.who_may_add == WhoMayAdd.CONTACTS}
    return frozenset(reserved - _writers_to(adder, asking))


def _writers_to(user_id: UserId, others: Collection[int]) -> frozenset[int]:
    """Those of these users who have sent a direct message to a person.

    Only a message that the user sent makes the adder a contact: strangers can write to
    anyone.
    """
    if not others:
        return frozenset()
    theirs = Message.objects.filter(
        conversation=OuterRef("pk"), sender__isnull=False
    ).exclude(sender=user_id)
    pairs = Conversation.objects.filter(
        Q(low_user=user_id, high_user__in=others)
        | Q(high_user=user_id, low_user__in=others)
    ).filter(Exists(theirs))
    found = pairs.values_list("low_user", "high_user")
    return frozenset(user for pair in found for user in pair if user) - {user_id}
