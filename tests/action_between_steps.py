"""An action at each step between the transactions of a request, one step per run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

from messaging.access import own_message
from messaging.ids import MessageId, UserId
from messaging.models import Conversation, Message, Participant, User
from messaging.services.messages import delete_message
from messaging.services.participants import remove_participant
from tests.contract.connections import one_connection
from tests.proofs import membership_of
from tests.transactions import Execute

Action = Callable[[], object]


def delete_messages() -> None:
    for message in Message.objects.order_by("-pk").exclude(sender=None):
        delete_message(
            message=own_message(
                sender=UserId(message.sender_id or 0), message_id=MessageId(message.pk)
            )
        )


def leave_groups() -> None:
    ann = User.objects.get(username="ann")
    for participant in Participant.objects.filter(user=ann, conversation__kind="group"):
        group = Conversation.objects.get(pk=participant.conversation_id)
        remove_participant(membership=membership_of(ann, group), username="ann")


def delete_anns_account() -> None:
    User.objects.get(username="ann").delete()


def delete_bobs_account() -> None:
    User.objects.get(username="bob").delete()


ACTIONS: Final[tuple[Action, ...]] = (
    delete_messages,
    leave_groups,
    delete_anns_account,
    delete_bobs_account,
)


def statuses_with_action_at_each_step(
    request: Callable[[], int], action: Action
) -> list[int]:
    """The statuses of a request, with the action before its first step, its second …

    A transaction is one step, for the action would wait for its locks. All is rolled back.
    """
    statuses: list[int] = []
    while True:
        with transaction.atomic(), one_connection():
            with _action_at_step(action, step=len(statuses)) as happened:
                status = request()
            transaction.set_rollback(True)
        if not happened():
            return statuses
        statuses.append(status)


@contextmanager
def _action_at_step(action: Action, *, step: int) -> Iterator[Callable[[], bool]]:
    depth = len(connection.savepoint_ids)
    steps = 0

    def watch(
        execute: Execute,
        statement: str,
        parameters: object,
        many: bool,
        context: dict[str, object],
    ) -> object:
        nonlocal steps
        outside = len(connection.savepoint_ids) == depth
        if outside and not statement.startswith(("RELEASE", "ROLLBACK")):
            steps += 1
            if steps == step + 1:
                action()
        return execute(statement, parameters, many, context)

    with connection.execute_wrapper(watch):
        yield lambda: steps > step
