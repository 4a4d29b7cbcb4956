"""A user for every role in a conversation, and example values for their requests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from django.utils import timezone

from messaging.ids import MAX_ID
from messaging.models import AccessToken, Conversation, Message, Notification, User
from messaging.services import (
    blocks,
    conversations,
    invites,
    participants,
    service_tokens,
    tokens,
    users,
)
from messaging.services.invites import IssuedInvitation
from tests.api_client import ApiClient, JsonValue
from tests.contract.sample_data import PASSWORD, SampleData
from tests.proofs import membership_of, owned_by

# A group, or the direct conversation of the one who calls.
Target = Literal["group", "direct"]

ROLES: Final = (
    *("anonymous", "stranger", "owner", "participant", "former", "sender"),
    *("receiver", "blocked", "staff", "suspended", "deleted", "revoked"),
    *("expired", "service"),
)

_NO_PERSON: Final = frozenset({"anonymous", "service"})
_OUTSIDE: Final = frozenset({"stranger", "staff", "newcomer"})
_MISSING: Final[Mapping[str, JsonValue]] = dict.fromkeys(
    (
        *("conversation_id", "message_id", "notification_id", "token_id"),
        "invitation_id",
    ),
    MAX_ID,
)


@dataclass(frozen=True, slots=True)
class Roles:
    """A client for each role."""

    clients: Mapping[str, ApiClient]
    # Of the participant, who alone may revoke it.
    token_id: int
    # Whose message of a target it is that everyone tries: by its receiver.
    messages: Mapping[str, Message]
    up_to: str
    # The owner's, of the group.
    invitation: IssuedInvitation

    def sample_data(self, role: str, target: Target) -> SampleData:
        """What the operations are tried on, by this role."""
        return self._sample_data(role, self._examples(role, target))

    def missing(self, role: str, target: Target) -> SampleData:
        """The same, of what does not exist."""
        return self._sample_data(role, {**self._examples(role, target), **_MISSING})

    def _sample_data(self, role: str, examples: dict[str, JsonValue]) -> SampleData:
        return SampleData(self.clients[role], self.clients["service"], examples)

    def _examples(self, role: str, target: Target) -> dict[str, JsonValue]:
        receiver = "blocked" if role == "blocked" else "receiver"
        notified = "participant" if target == "group" else receiver
        message = self.messages[notified]
        notification = Notification.objects.get(
            message=message, user__username=notified
        )
        other = "receiver" if role == "sender" else "sender"
        return {
            "conversation_id": message.conversation_id,
            "message_id": message.pk,
            "notification_id": notification.message_id,
            "token_id": self.token_id,
            "invitation_id": self.invitation.invitation.pk,
            "code": self.invitation.code,
            "max_uses": 5,
            "version": 1,
            "username": "extra",
            "participants_put.username": "newcomer",
            "auth_register.username": "somebody",
            "auth_create_token.username": "sender" if role in _NO_PERSON else role,
            "service_create_user.username": "somebody",
            "service_create_token.username": "brought",
            "invite_code": "4711",
            "external_id": "shop/4711",
            "password": PASSWORD,
            "current_password": PASSWORD,
            "new_password": f"another {PASSWORD}",
            "name": "tablet",
            "expires_in": 3600,
            "replaces": MAX_ID,
            "display_name": "Somebody",
            "who_may_add": "everyone",
            "shows_presence": True,
            "send_key": "enter",
            "participant": other,
            "participants": [other],
            "title": "Title",
            "role": "member",
            "content": "content",
            "parent_message_id": message.pk,
            "messages_send_direct.parent_message_id": None,
            "receiver": other,
            "up_to_sequence": MAX_ID,
            "ranges": [{"first_sequence": 1, "last_sequence": 4}],
            "up_to": self.up_to,
            "looks_mark_seen.up_to": MAX_ID,
            "query": "a",
        }


def create_roles() -> Roles:
    """A group of them all, and direct conversations of the sender.

    Users whose credentials are invalid participated in everything before, so that
    what they are refused is refused to their credentials.
    """
    people = {
        name: User.objects.create_user(name, PASSWORD)
        for name in (*ROLES, "extra", "newcomer")
        if name not in _NO_PERSON
    }
    users.create_account(username="brought", password=None, display_name=None)
    group = _group(people["owner"], people.keys() - _OUTSIDE)
    participants.remove_participant(
        membership=membership_of(people["former"], group), username="former"
    )
    sender = people["sender"]
    messages = {
        name: _edited(
            Message.objects.create(sender=sender, receiver=people[name], content="one")
        )
        for name in ("receiver", "blocked")
    }
    messages["participant"] = _edited(
        Message.objects.create(sender=sender, conversation=group, content="one")
    )
    blocks.block(blocker=sender, blocked=people["blocked"])
    issued = {
        name: tokens.issue_token(user=person, name="test", expires_in=None)
        for name, person in people.items()
    }
    clients = {name: ApiClient(token.secret) for name, token in issued.items()}
    up_to = clients["sender"].get("/inbox").text("up_to")
    _sign_out(people)
    return Roles(
        clients={
            **clients,
            "anonymous": ApiClient(),
            "service": ApiClient(service_tokens.create_service_token(name="shop")),
        },
        token_id=issued["participant"].token.pk,
        messages=messages,
        up_to=up_to,
        invitation=invites.create_group_invitation(
            group=owned_by(people["owner"], group),
            uses=5,
            expires_in=timedelta(days=1),
        ),
    )


def _group(owner: User, usernames: Iterable[str]) -> Conversation:
    return conversations.start_group(
        owner=owner, title="Group", usernames=usernames
    ).conversation


def _edited(message: Message) -> Message:
    message.content = "two"
    message.save()
    return message


def _sign_out(people: Mapping[str, User]) -> None:
    staff = User.objects.filter(username="staff")
    staff.update(is_staff=True, is_superuser=True)
    User.objects.filter(username="suspended").update(is_active=False)
    people["deleted"].delete()
    AccessToken.objects.filter(user=people["revoked"]).delete()
    past = timezone.now() - timedelta(seconds=1)
    AccessToken.objects.filter(user=people["expired"]).update(expires_at=past)
