"""Sample data: rows and example values for a valid request to every operation."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from messaging import access
from messaging.ids import ConversationId, MessageId, Position, UserId
from messaging.models import LookNotice, Message, Notification, User
from messaging.models.looks import LookSource
from messaging.services import (
    blocks,
    conversations,
    invites,
    looks,
    messages,
    owners,
    service_tokens,
    tokens,
    users,
)
from messaging.services.events import read_log
from messaging.services.invites import IssuedInvitation
from tests.api_client import ApiClient, JsonValue

PASSWORD: Final = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class SampleData:
    """`client` is Ann's: she owns a group, and has a row of everything."""

    client: ApiClient
    # A client with a service token.
    service: ApiClient
    # What fits a parameter or body field: by name, or first by operation and name.
    examples: dict[str, JsonValue]

    def caller(self, operation_id: str) -> ApiClient:
        """Who may call the operation."""
        return self.service if operation_id.startswith("service_") else self.client

    def example(self, operation_id: str, name: str) -> JsonValue:
        """Raises KeyError for a name nobody gave an example of: add one."""
        specific = f"{operation_id}.{name}"
        return self.examples[specific if specific in self.examples else name]


def create_sample_data() -> SampleData:
    ann, bob, cleo, dora = (
        User.objects.create_user(name, PASSWORD)
        for name in ("ann", "bob", "cleo", "dora")
    )
    for name in ("anselm", "aron"):
        blocks.block(blocker=ann, blocked=User.objects.create_user(name, PASSWORD))
    users.create_account(username="brought", password=None, display_name=None)
    group = _group(ann, ["bob", "cleo"])
    owners.add_owner(
        group=access.ownership(owner=UserId(ann.pk), conversation_id=group),
        username="cleo",
    )
    own = _edited(_send(ann, group, "one"), "two", "three")
    for sender, content in ((bob, "reply"), (cleo, "@ann reply"), (bob, "reply")):
        _send(sender, group, content, parent=own)
    received = Message.objects.create(sender=bob, receiver=ann, content="hello")
    Message.objects.create(sender=ann, receiver=dora, content="hello")
    looks.record_looks(
        by=UserId(dora.pk),
        source=LookSource.MESSAGES,
        shown=[looks.Shown(group, None, frozenset())],
    )
    looks.record_password(by=UserId(dora.pk), user_id=UserId(ann.pk))
    look = LookNotice.objects.filter(user=ann).latest("look").look_id
    token = tokens.issue_token(user=ann, name="phone", expires_in=None)
    current = tokens.issue_token(user=ann, name="test", expires_in=None)
    _invitation(ann, group)
    mine = _invitation(ann, group)
    theirs = _invitation(dora, _group(dora, []))
    return SampleData(
        ApiClient(current.secret),
        ApiClient(service_tokens.create_service_token(name="shop")),
        {
            "conversation_id": group,
            "message_id": own,
            "messages_mark_read.message_id": received.pk,
            "messages_mark_unread.message_id": received.pk,
            "notification_id": Notification.objects.filter(user=ann)
            .order_by("pk")[0]
            .message_id,
            "token_id": token.token.pk,
            "invitation_id": mine.invitation.pk,
            # Of a group that Ann is not in.
            "code": theirs.code,
            "max_uses": 5,
            "version": 1,
            "username": "bob",
            "participants_put.username": "dora",
            "owners_remove.username": "cleo",
            "remove_owner.username": "cleo",
            "blocks_put.username": "aron",
            "blocks_remove.username": "anselm",
            "If-Match": f'"{own}.3"',
            "Idempotency-Key": "4711",
            "auth_register.username": "newcomer",
            "auth_create_token.username": "ann",
            "invite_code": "4711",
            "service_create_user.username": "newcomer",
            "service_create_token.username": "brought",
            "external_id": "shop/4711",
            "password": PASSWORD,
            "current_password": PASSWORD,
            "new_password": f"another {PASSWORD}",
            "name": "tablet",
            "expires_in": 3600,
            # Of nobody, so that nothing is replaced.
            "replaces": 2**53 - 1,
            "who_may_add": "contacts",
            "shows_presence": False,
            "send_key": "shift_enter",
            "display_name": "Ann",
            "participant": "dora",
            "participants": ["bob"],
            "title": "Title",
            "role": "member",
            "content": "content",
            "parent_message_id": own,
            "messages_send_direct.parent_message_id": received.pk,
            "receiver": "bob",
            "up_to_sequence": 1,
            "ranges": [{"first_sequence": 1, "last_sequence": 4}],
            "up_to": ApiClient(current.secret).get("/inbox").text("up_to"),
            "looks_mark_seen.up_to": look,
            "looks_seen.up_to": look,
            "query": "a",
            "show": "all",
            "limit": 1,
            "cursor": None,
            "around": own,
            "after_sequence": 1,
            "depth": 3,
            "nodes": 3,
            "after": read_log().cursor(Position(0)),
            "timeout": 1,
        },
    )


def _invitation(owner: User, group: ConversationId) -> IssuedInvitation:
    owned = access.ownership(owner=UserId(owner.pk), conversation_id=group)
    return invites.create_group_invitation(
        group=owned, uses=5, expires_in=timedelta(days=1)
    )


def create_large_sample_data(size: int) -> tuple[ApiClient, dict[str, int | str]]:
    """`size` of everything, for one reader: people, groups, replies, versions, tokens."""
    reader = User.objects.create_user("person-reader")
    people = [User.objects.create_user(f"person-{number}") for number in range(size)]
    names = [person.username for person in people]
    for number in range(size):
        _send(people[0], _group(reader, names[: 1 + number % 3]), "hello")
    group = _group(reader, names)
    message = _send(people[0], group, "version 0")
    own = _send(reader, group, "version 0")
    invitation = _invitation(reader, group)
    # Wide and deep.
    tree = [message]
    for number, person in enumerate(people):
        tree.append(_send(person, group, "@person-reader", tree[number // 2]))
        tokens.issue_token(user=reader, name=f"{number}", expires_in=None)
        blocked = User.objects.create_user(f"blocked-{number}")
        blocks.block(blocker=reader, blocked=blocked)
        if number + 1 < invites.MOST:
            _invitation(reader, group)
        looks.record_password(by=UserId(person.pk), user_id=UserId(reader.pk))
    versions = [f"version {number + 1}" for number in range(size)]
    _edited(message, *versions)
    _edited(own, *versions)
    secret = tokens.issue_token(user=reader, name="test", expires_in=None).secret
    return ApiClient(secret), {
        "conversation": group,
        "message": message,
        "own": own,
        "code": invitation.code,
        "beginning": read_log().cursor(Position(0)),
    }


def _group(owner: User, usernames: list[str]) -> ConversationId:
    opened = conversations.start_group(owner=owner, title="Group", usernames=usernames)
    return ConversationId(opened.conversation.pk)


def _send(
    sender: User,
    conversation: ConversationId,
    content: str,
    parent: MessageId | None = None,
) -> MessageId:
    membership = access.membership(
        reader=UserId(sender.pk), conversation_id=conversation
    )
    sent = messages.send_message(
        membership=membership, content=content, parent_id=parent
    )
    return MessageId(sent.pk)


def _edited(message_id: MessageId, *contents: str) -> MessageId:
    message = Message.objects.get(pk=message_id)
    for content in contents:
        message.content = content
        message.save()
    return message_id
