"""Users with the same display name are namesakes, in whatever form it is written."""

from dataclasses import dataclass

import pytest

from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, User
from messaging.namesakes import namesakes
from messaging.services import participants
from messaging.services.conversations import page_version
from tests.conftest import MakeUser
from tests.proofs import owned_by


@dataclass(frozen=True, slots=True)
class Person:
    pk: int
    display_name: str


@pytest.mark.parametrize(
    "other",
    ["Robin", "robin", "ROBIN", "\uff32obin"],
)
def test_names_that_look_alike_are_equal(other: str) -> None:
    people = [Person(1, "Robin"), Person(2, other), Person(3, "Rob"), None]
    assert namesakes(people) == {1, 2}


def test_one_user_found_twice_is_no_namesake() -> None:
    assert namesakes([Person(1, "Robin"), Person(1, "Robin")]) == frozenset()


def test_joining_and_leaving_renew_the_page(
    group: Conversation, ann: User, bob: User, make_user: MakeUser
) -> None:
    def version() -> int:
        reader, conversation = UserId(bob.pk), ConversationId(group.pk)
        return page_version(reader=reader, conversation_id=conversation).version

    dora = make_user("dora")
    versions = [version()]
    owner = owned_by(ann, group)
    participants.put_participant(group=owner, username=dora.username, role="member")
    versions.append(version())
    participants.remove_participant(membership=owner, username=dora.username)
    versions.append(version())
    assert versions == sorted(set(versions))
    assert len(versions) == 3
