"""Random sequences of calls: the services do what a reference model in memory does.

Every rule asks the services and the model, and expects the model's refusals; after
every step the tables and the answers are compared with the model.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Final

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from messaging import errors
from messaging.access import OwnMessage
from messaging.ids import MessageId, Sequence, UserId
from messaging.models import Conversation, Event, Message, Notification, User
from messaging.sequence_ranges import SequenceRange
from messaging.services import (
    blocks,
    conversations,
    history,
    inbox,
    messages,
    notifications,
    owners,
    participants,
    users,
)
from messaging.services.consistency import find_inconsistencies
from messaging.services.deletion import preview_deletion
from tests.databases import analyze
from tests.messaging.comparison import (
    compare,
    compare_message,
    compare_pages,
    compare_reader,
    shown_pages,
)
from tests.messaging.logged import logged_by
from tests.messaging.reference_model import (
    ModelConversation,
    ModelMessage,
    ReferenceModel,
    Refusal,
)
from tests.proofs import membership_of, own_of, owned_by, received_by
from tests.reading import read_up_to

USERNAMES: Final = ("ann", "bob", "cleo", "dora")

# Turned into one of what there is when the step is taken.
indexes = st.integers(0, 1000)
names = st.sampled_from(USERNAMES)
# Mostly of messages that exist; a range may end before it starts.
spans = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=4)
contents = st.sampled_from(
    ["hello", "hi @ann", "@bob and @cleo !", "@dora now", "@nobody", "\r\n  trimmed "]
) | st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"])).map(
    # Some of these cannot be seen, which alone are refused.
    "{}.".format
)

FEW_EXAMPLES: Final = settings(
    max_examples=100,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
MANY_EXAMPLES: Final = settings(
    FEW_EXAMPLES,
    max_examples=1000,
    stateful_step_count=50,
    derandomize=False,
    database=None,
)


@contextmanager
def expect(refusal: Refusal) -> Iterator[None]:
    if refusal is None:
        yield
    else:
        with pytest.raises(refusal):
            yield


def any_message(machine: "ServicesAndModel") -> bool:
    return any(
        conversation.messages for conversation in machine.model.conversations.values()
    )


def any_conversation(machine: "ServicesAndModel") -> bool:
    return bool(machine.model.conversations)


def stored_content(content: str) -> str:
    """Without blank lines before it and blanks behind it."""
    return content.lstrip("\r\n").rstrip()


class ServicesAndModel(RuleBasedStateMachine):
    """Four people; whoever is deleted may come again under the same name."""

    @override
    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        analyze()
        self.model = ReferenceModel()
        self.users: dict[str, User] = {}
        self.summaries: list[tuple[str, str, int]] = []
        # The events of the last step, if it marked something read.
        self.logged: list[Event] = []
        self.pages = shown_pages()
        self.steps = count()

    @override
    def teardown(self) -> None:
        try:
            assert list(find_inconsistencies()) == []
            # What a commit would check.
            connection.check_constraints()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        for name in USERNAMES:
            self.create_user(name)
        self.start_group("ann", {"bob", "cleo"})
        self.send(0, "ann", "hello")
        self.reply(0, "bob", "hi @ann")
        self.reply(1, "cleo", "hi")
        self.send_direct("ann", "dora", "hello")

    @rule(name=names)
    def create_user(self, name: str) -> None:
        if name not in self.model.usernames:
            self.users[name] = User.objects.create_user(name, None, name)
            self.model.usernames.add(name)

    @rule(owner=names, members=st.sets(names))
    def start_group(self, owner: str, members: set[str]) -> None:
        self.create_user(owner)
        others = sorted(
            (members & self.model.usernames) - {owner},
            key=lambda name: self.users[name].pk,
        )
        blocked = any(self.model.blocked(owner, name) for name in others)
        with expect(errors.NotDeliverableError if blocked else None):
            opened = conversations.start_group(
                owner=self.users[owner], title="Group", usernames=[owner, *others]
            )
            conversation = self.model.conversations[opened.conversation.pk] = (
                ModelConversation(opened.conversation.pk, {owner})
            )
            for name in (owner, *others):
                conversation.add(name)

    @rule(sender=names, receiver=names, content=contents)
    def send_direct(self, sender: str, receiver: str, content: str) -> None:
        self.create_user(sender)
        self.create_user(receiver)
        refusal: Refusal = None
        if sender == receiver:
            refusal = errors.SelfMessageError
        elif self.model.blocked(sender, receiver):
            refusal = errors.NotDeliverableError
        with expect(refusal):
            message = messages.send_direct_message(
                sender=self.users[sender],
                receiver=self.users[receiver],
                content=content,
                parent_id=None,
            )
            conversation = self.model.direct(sender, receiver)
            if conversation is None:
                conversation = ModelConversation(message.conversation_id, set())
                self.model.conversations[conversation.id] = conversation
                conversation.add(sender)
                conversation.add(receiver)
            self.model.send(
                conversation, message.pk, sender, stored_content(content), None
            )

    @precondition(any_conversation)
    @rule(where=indexes, sender=names, content=contents)
    def send(self, where: int, sender: str, content: str) -> None:
        self.write(self.pick_conversation(where), sender, content, None)

    @precondition(any_message)
    @rule(to=indexes, sender=names, content=contents)
    def reply(self, to: int, sender: str, content: str) -> None:
        conversation, message = self.pick_message(to)
        self.write(conversation, sender, content, message)

    def write(
        self,
        conversation: ModelConversation,
        sender: str,
        content: str,
        parent: ModelMessage | None,
    ) -> None:
        refusal: Refusal = None
        if sender not in conversation.participants:
            refusal = errors.ConversationNotFoundError
        elif self.model.undeliverable(conversation, sender):
            refusal = errors.NotDeliverableError
        elif parent is not None and parent.sender is None:
            refusal = errors.DeletedMessageError
        with expect(refusal):
            sent = messages.send_message(
                membership=membership_of(
                    self.user(sender), Conversation(pk=conversation.id)
                ),
                content=content,
                parent_id=None if parent is None else MessageId(parent.id),
            )
            parent_id = None if parent is None else parent.id
            self.model.send(
                conversation, sent.pk, sender, stored_content(content), parent_id
            )

    @precondition(any_message)
    @rule(what=indexes, editor=names, content=contents)
    def edit(self, what: int, editor: str, content: str) -> None:
        conversation, message = self.pick_message(what)
        self.change_content(
            conversation,
            message,
            editor,
            stored_content(content),
            lambda message: messages.edit_message(message=message, content=content),
        )

    @precondition(any_message)
    @rule(what=indexes, editor=names, back=indexes)
    def restore(self, what: int, editor: str, back: int) -> None:
        conversation, message = self.pick_message(what)
        version = 1 + back % len(message.versions)
        self.change_content(
            conversation,
            message,
            editor,
            message.versions[version - 1],
            lambda message: history.restore_version(message=message, version=version),
        )

    def change_content(
        self,
        conversation: ModelConversation,
        message: ModelMessage,
        editor: str,
        content: str,
        write: Callable[[OwnMessage], Message],
    ) -> None:
        changed = content != message.content
        refusal = conversation.refusal_to_sender(message, editor)
        if (
            refusal is None
            and changed
            and self.model.undeliverable(conversation, editor)
        ):
            refusal = errors.NotDeliverableError
        with expect(refusal):
            write(own_of(self.user(editor), Message(pk=message.id)))
            if changed:
                message.versions.append(content)

    @precondition(any_message)
    @rule(what=indexes, who=names)
    def delete(self, what: int, who: str) -> None:
        conversation, message = self.pick_message(what)
        with expect(conversation.refusal_to_sender(message, who)):
            messages.delete_message(
                message=own_of(self.user(who), Message(pk=message.id))
            )
            conversation.delete(message)

    @precondition(any_message)
    @rule(what=indexes, reader=names)
    def read(self, what: int, reader: str) -> None:
        conversation, message = self.pick_message(what)
        with expect(conversation.refusal_to_reader(message, reader)):
            user = self.user(reader)
            notifications.mark_message_read(
                message=received_by(user, Message(pk=message.id)),
                reader=UserId(user.pk),
            )
            if reader in message.notifications:
                message.notifications[reader].unread = False

    @precondition(any_message)
    @rule(what=indexes, reader=names)
    def unread(self, what: int, reader: str) -> None:
        conversation, message = self.pick_message(what)
        with expect(conversation.refusal_to_reader(message, reader)):
            user = self.user(reader)
            notifications.mark_message_unread(
                message=received_by(user, Message(pk=message.id)),
                reader=UserId(user.pk),
            )
            self.model.mark_unread(conversation, message, reader)

    @precondition(any_message)
    @rule(what=indexes, reader=names)
    def read_up_to(self, what: int, reader: str) -> None:
        conversation, message = self.pick_message(what)
        missing = reader not in conversation.participants
        with expect(errors.ConversationNotFoundError if missing else None):
            membership = membership_of(
                self.user(reader), Conversation(pk=conversation.id)
            )
            self.logged = logged_by(
                partial(
                    read_up_to,
                    membership=membership,
                    up_to=Sequence(message.sequence),
                )
            )
            self.model.mark_read(reader, conversation, (1, message.sequence))

    @precondition(any_conversation)
    @rule(where=indexes, reader=names, spans=spans)
    def read_ranges(
        self, where: int, reader: str, spans: list[tuple[int, int]]
    ) -> None:
        conversation = self.pick_conversation(where)
        missing = reader not in conversation.participants
        with expect(errors.ConversationNotFoundError if missing else None):
            membership = membership_of(
                self.user(reader), Conversation(pk=conversation.id)
            )
            self.logged = logged_by(
                partial(
                    notifications.mark_ranges_read,
                    membership=membership,
                    ranges=[
                        SequenceRange(Sequence(first), Sequence(last))
                        for first, last in spans
                    ],
                )
            )
            self.model.mark_read(reader, conversation, *spans)

    @precondition(any_conversation)
    @rule(where=indexes, name=names, muted=st.booleans())
    def mute(
        self, where: int, name: str, muted: bool
    ) -> None:  # hypothesis gives it by name
        conversation = self.pick_conversation(where)
        missing = name not in conversation.participants
        with expect(errors.ConversationNotFoundError if missing else None):
            membership = membership_of(
                self.user(name), Conversation(pk=conversation.id)
            )
            participants.set_muted(membership=membership, muted=muted)
            conversation.participants[name].muted = muted

    @rule(reader=names)
    def read_inbox(self, reader: str) -> None:
        user = self.user(reader)
        summary = inbox.inbox_summary(reader=UserId(user.pk))
        self.summaries.append((reader, summary.up_to, self.model.position))

    @precondition(lambda self: self.summaries)
    @rule(which=indexes)
    def mark_inbox_read(self, which: int) -> None:
        """Up to where a summary that was read before said."""
        reader, up_to, position = self.summaries[which % len(self.summaries)]
        user = self.user(reader)
        self.logged = logged_by(
            partial(inbox.mark_inbox_read, reader=UserId(user.pk), up_to=up_to)
        )
        self.model.mark_inbox_read(reader, position)

    @precondition(any_conversation)
    @rule(where=indexes, owner=names, name=names)
    def add_participant(self, where: int, owner: str, name: str) -> None:
        conversation = self.pick_conversation(where)
        self.create_user(name)
        refusal = conversation.refusal_to_owner(owner)
        if refusal is None and name == owner:
            refusal = errors.OwnerRequiredError
        elif (
            refusal is None
            and name not in conversation.participants
            and self.model.blocked(owner, name)
        ):
            refusal = errors.NotDeliverableError
        with expect(refusal):
            participants.put_participant(
                group=owned_by(self.user(owner), Conversation(pk=conversation.id)),
                username=name,
                role="member",
            )
            conversation.add(name)

    @precondition(any_conversation)
    @rule(where=indexes, owner=names, heir=names)
    def hand_over(self, where: int, owner: str, heir: str) -> None:
        conversation = self.pick_conversation(where)
        refusal = conversation.refusal_to_owner(owner)
        if refusal is None and heir not in conversation.participants:
            refusal = errors.ParticipantNotFoundError
        with expect(refusal):
            participants.put_participant(
                group=owned_by(self.user(owner), Conversation(pk=conversation.id)),
                username=heir,
                role="owner",
            )
            conversation.owners -= {owner}
            conversation.owners |= {heir}

    @precondition(any_conversation)
    @rule(where=indexes, owner=names, other=names)
    def add_owner(self, where: int, owner: str, other: str) -> None:
        conversation = self.pick_conversation(where)
        refusal = conversation.refusal_to_owner(owner)
        if refusal is None and other not in conversation.participants:
            refusal = errors.ParticipantNotFoundError
        with expect(refusal):
            owners.add_owner(
                group=owned_by(self.user(owner), Conversation(pk=conversation.id)),
                username=other,
            )
            conversation.owners |= {other}

    @precondition(any_conversation)
    @rule(where=indexes, owner=names, other=names)
    def remove_owner(self, where: int, owner: str, other: str) -> None:
        conversation = self.pick_conversation(where)
        refusal = conversation.refusal_to_owner(owner)
        if refusal is None and other not in conversation.participants:
            refusal = errors.ParticipantNotFoundError
        elif refusal is None and conversation.owners == {other}:
            refusal = errors.OwnerRequiredError
        with expect(refusal):
            owners.remove_owner(
                group=owned_by(self.user(owner), Conversation(pk=conversation.id)),
                username=other,
            )
            conversation.owners -= {other}

    @precondition(any_conversation)
    @rule(where=indexes, who=names, name=names)
    def remove_participant(self, where: int, who: str, name: str) -> None:
        """Oneself, or somebody whom the owner removes."""
        conversation = self.pick_conversation(where)
        refusal: Refusal = None
        if who not in conversation.participants:
            refusal = errors.ConversationNotFoundError
        elif conversation.direct:
            refusal = errors.DirectConversationError
        elif who != name and who not in conversation.owners:
            refusal = errors.NotOwnerError
        elif name not in conversation.participants:
            refusal = errors.ParticipantNotFoundError
        with expect(refusal):
            participants.remove_participant(
                membership=membership_of(
                    self.user(who), Conversation(pk=conversation.id)
                ),
                username=name,
            )
            self.model.remove_participant(conversation, name)

    @rule(blocker=names, blocked=names, off=st.booleans())
    def block(self, blocker: str, blocked: str, off: bool) -> None:
        one, other = self.user(blocker), self.user(blocked)
        if off:
            blocks.unblock(blocker=one, blocked=other)
            self.model.blocks.discard((blocker, blocked))
        else:
            with expect(errors.SelfBlockError if blocker == blocked else None):
                blocks.block(blocker=one, blocked=other)
                self.model.blocks.add((blocker, blocked))
        self.send_direct(blocker, blocked, "after that")
        self.send_direct(blocked, blocker, "and back")

    @rule(name=names, shown=st.sampled_from(["One", "Other"]))
    def rename(self, name: str, shown: str) -> None:
        users.change_display_name(user=self.user(name), display_name=shown)

    @rule(name=names)
    def delete_account(self, name: str) -> None:
        user = self.user(name)
        preview = preview_deletion(user=user)
        user.delete()
        assert user.deletion is not None
        assert user.deletion.counts == preview
        self.model.delete_account(name)
        self.summaries = [one for one in self.summaries if one[0] != name]

    @invariant()
    def answers_equal_the_model(self) -> None:
        compare(self.model)
        after = shown_pages()
        compare_pages(self.pages, after)
        self.pages = after
        step = next(self.steps)
        reader = USERNAMES[step // 2 % len(USERNAMES)]
        if step % 2 and any_message(self):
            conversation, message = self.pick_message(step)
            compare_message(conversation, message.id, self.users, step)
        elif reader in self.model.usernames:
            compare_reader(self.model, self.users[reader])

    @invariant()
    def read_events_cover_no_unread_message(self) -> None:
        logged, self.logged = self.logged, []
        for event in logged:
            if event.type == "message.read":
                span = (event.first_sequence, event.last_sequence)
                assert not Notification.objects.filter(
                    user=event.user_id,
                    conversation=event.conversation_id,
                    is_read=False,
                    message__sequence__range=span,
                ).exists()

    def user(self, name: str) -> User:
        self.create_user(name)
        return self.users[name]

    def pick_conversation(self, which: int) -> ModelConversation:
        found = list(self.model.conversations.values())
        return found[which % len(found)]

    def pick_message(self, which: int) -> tuple[ModelConversation, ModelMessage]:
        found = [
            (conversation, message)
            for conversation in self.model.conversations.values()
            for message in conversation.messages.values()
        ]
        return found[which % len(found)]


def test_the_services_do_what_the_model_does(db: None) -> None:
    run_state_machine_as_test(ServicesAndModel, settings=FEW_EXAMPLES)


@pytest.mark.long
def test_the_services_do_what_the_model_does_at_length(db: None) -> None:
    run_state_machine_as_test(ServicesAndModel, settings=MANY_EXAMPLES)
