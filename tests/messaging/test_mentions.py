"""Who can be mentioned, found by any part of their names; and whom a text mentions."""

from collections.abc import Sequence
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.ids import UserId
from messaging.models import Conversation, Message, User
from messaging.services.mentions import mention_candidates, mentioned_participants
from messaging.services.participants import put_participant, remove_participant
from messaging.services.users import change_display_name
from tests.conftest import MakeUser
from tests.proofs import membership_of, owned_by
from tests.rows import overwrite

# A display name, and a part of it as somebody else writes it.
PARTS: Final = (
    ("Ada Lovelace", "love"),
    ("Ada Lovelace", "LACE"),
    ("Ada Lovelace", "da lo"),
    ("Łódź", "odz"),
    ("École", "COLE"),
    ("Straße", "asse"),
    ("山田太郎", "太"),
    ("김철수", "철수"),
    ("محمد علی", "علي"),
    ("Σίσυφος", "συφοσ"),
    ("สมชาย", "ชาย"),
    ("Anne_Marie", "e_m"),
    ("100 %", "0 %"),
)


def _found(reader: User, conversation: Conversation, typed: str) -> Sequence[str]:
    found = mention_candidates(
        membership=membership_of(reader, conversation), typed=typed, limit=8
    )
    return [person.username for person in found]


def _mentioned(conversation: Conversation, *contents: str) -> dict[str, UserId]:
    return dict(
        mentioned_participants(conversation_id=conversation.pk, contents=contents)
    )


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_any_part_of_a_display_name_finds_its_bearer(
    ann: User, bob: User, group: Conversation, name: str, part: str
) -> None:
    change_display_name(user=bob, display_name=name)
    assert _found(ann, group, part) == ["bob"]


def test_any_part_of_a_username_finds_its_bearer(
    ann: User, group: Conversation
) -> None:
    assert _found(ann, group, "le") == _found(ann, group, "@cLE"[1:]) == ["cleo"]


@pytest.mark.parametrize("typed", ["", " ", "\u200b"])
def test_nothing_typed_finds_all_others(
    ann: User, group: Conversation, typed: str
) -> None:
    assert _found(ann, group, typed) == ["bob", "cleo"]


@pytest.mark.parametrize("typed", ["ann", "%", "_", "nobody", "\x00", "\ud800"])
def test_what_nobody_else_is_named_finds_nobody(
    ann: User, group: Conversation, typed: str
) -> None:
    assert _found(ann, group, typed) == []


def test_names_that_begin_so_come_before_words_and_parts(
    ann: User, group: Conversation, make_user: MakeUser
) -> None:
    names = {"zed": "Jolie", "yan": "Mary Oli", "oli": "Zoe", "xu": "Oliver"}
    for username, name in names.items():
        make_user(username, display_name=name)
        put_participant(group=owned_by(ann, group), username=username, role="member")
    assert _found(ann, group, "oli") == ["oli", "xu", "yan", "zed"]


def test_only_participants_who_can_read_are_found(
    ann: User, bob: User, group: Conversation, make_user: MakeUser
) -> None:
    make_user("bobby")
    assert _found(ann, group, "bob") == ["bob"]
    overwrite(User.objects.filter(pk=bob.pk), is_active=False)
    assert _found(ann, group, "bob") == []


def test_of_a_large_group_as_many_are_found_as_fit(
    ann: User, group: Conversation, make_user: MakeUser
) -> None:
    for number in range(10):
        make_user(f"u{number}")
        put_participant(
            group=owned_by(ann, group), username=f"u{number}", role="member"
        )
    with CaptureQueriesContext(connection) as queries:
        found = mention_candidates(
            membership=membership_of(ann, group), typed="u", limit=8
        )
    assert [person.username for person in found] == [f"u{n}" for n in range(8)]
    # One is for the membership.
    assert len(queries) == 2


def test_a_text_mentions_participants_in_any_case(
    bob: User, cleo: User, group: Conversation, make_user: MakeUser
) -> None:
    make_user("dora")
    found = _mentioned(group, "@BOB and @nobody", "and @dora, @cleo.")
    assert found == {"bob": bob.pk, "cleo": cleo.pk}


def test_who_left_is_mentioned_no_more(
    ann: User, bob: User, group: Conversation
) -> None:
    remove_participant(membership=membership_of(bob, group), username="bob")
    assert _mentioned(group, "@bob") == {}


def test_a_text_without_mentions_asks_nothing(group: Conversation) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert _mentioned(group, "ann@example.org", "no one") == {}
    assert not queries


def test_more_names_than_a_statement_takes_are_looked_up_as_well(
    bob: User, group: Conversation
) -> None:
    texts = [
        " ".join(f"@u{page}-{number}" for number in range(700)) for page in range(50)
    ]
    assert _mentioned(group, *texts, "@bob") == {"bob": bob.pk}


def test_whoever_is_highlighted_is_notified_of_a_mention(
    ann: User, bob: User, group: Conversation
) -> None:
    sent = Message.objects.create(
        sender=ann, conversation=group, content="@Bob, and (@cleo)."
    )
    kinds = dict(sent.notifications.values_list("user__username", "kind"))
    assert kinds == dict.fromkeys(_mentioned(group, sent.content), "mention")
