"""Who may add whom to groups, and how often."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from messaging import access
from messaging.access import Ownership
from messaging.errors import NotDeliverableError, RateLimitedError
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Conversation, LimitCounter, Message, Participant, User
from messaging.models.users import WhoMayAdd
from messaging.rates import Rate
from messaging.services.blocks import block
from messaging.services.conversations import open_direct, start_group
from messaging.services.messages import delete_message
from messaging.services.participants import put_participant
from messaging.services.users import create_account, set_who_may_add
from tests.conftest import MakeUser

# So long a window that none ends during a test.
AGE = 1000 * 24 * 3600

Add = Callable[[User, User], object]


def starts_a_group(adder: User, added: User) -> None:
    start_group(owner=adder, title="New", usernames=[added.username])


def adds_to_a_group(adder: User, added: User) -> None:
    group = start_group(owner=adder, title="Old", usernames=[]).conversation
    put_participant(group=owned(adder, group), username=added.username, role="member")


def owned(owner: User, group: Conversation) -> Ownership:
    return access.ownership(
        owner=UserId(owner.pk), conversation_id=ConversationId(group.pk)
    )


def says(user: User, who: WhoMayAdd) -> None:
    set_who_may_add(user=user, who_may_add=who)


@pytest.fixture(params=[starts_a_group, adds_to_a_group])
def add(request: pytest.FixtureRequest) -> Add:
    add: Add = request.param
    return add


@pytest.fixture
def limited(settings: Settings) -> Settings:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_SHARED_LIMITS = "database"
    return settings


def test_by_default_everyone_may_add_a_user_to_groups(
    add: Add, ann: User, bob: User
) -> None:
    add(ann, bob)
    assert Participant.objects.filter(user=bob).count() == 1


def test_a_user_who_allows_nobody_is_not_added(add: Add, ann: User, bob: User) -> None:
    Message.objects.create(sender=bob, receiver=ann, content="hello")
    says(bob, WhoMayAdd.NOBODY)
    with pytest.raises(NotDeliverableError):
        add(ann, bob)
    assert not Participant.objects.filter(
        user=bob, conversation__kind=Conversation.Kind.GROUP
    ).exists()


def test_a_contact_is_a_user_one_has_written_to(
    add: Add, ann: User, bob: User, cleo: User
) -> None:
    says(bob, WhoMayAdd.CONTACTS)
    # Nobody makes themselves one.
    Message.objects.create(sender=ann, receiver=bob, content="hello")
    answer = Message.objects.create(sender=bob, receiver=ann, content="hi")
    delete_message(
        message=access.own_message(
            sender=UserId(bob.pk), message_id=MessageId(answer.pk)
        )
    )
    with pytest.raises(NotDeliverableError):
        add(ann, bob)
    Message.objects.create(sender=bob, receiver=ann, content="hi again")
    add(ann, bob)
    with pytest.raises(NotDeliverableError):
        add(cleo, bob)


def test_a_block_and_a_setting_give_the_same_error(
    add: Add, ann: User, bob: User, cleo: User
) -> None:
    says(bob, WhoMayAdd.NOBODY)
    block(blocker=cleo, blocked=ann)
    refusals = []
    for added in (bob, cleo):
        with pytest.raises(NotDeliverableError) as refusal:
            add(ann, added)
        refusals.append(str(refusal.value))
    assert refusals == ["This cannot be delivered."] * 2


def test_a_group_is_started_with_all_members_or_not_at_all(
    ann: User, bob: User, cleo: User, make_user: MakeUser
) -> None:
    make_user("dora")
    says(bob, WhoMayAdd.NOBODY)
    block(blocker=ann, blocked=cleo)
    with pytest.raises(NotDeliverableError, match=r"You cannot add: @bob, @cleo\."):
        start_group(owner=ann, title="Us", usernames=["dora", "CLEO", "bob"])
    assert not Conversation.objects.exists()


def test_a_participant_is_not_checked_again(ann: User, bob: User) -> None:
    group = start_group(owner=ann, title="Us", usernames=["bob"]).conversation
    says(bob, WhoMayAdd.NOBODY)
    put_participant(group=owned(ann, group), username="bob", role="member")
    assert group.participants.count() == 2


def test_the_check_costs_the_same_queries_for_any_number_of_users(
    ann: User, make_user: MakeUser
) -> None:
    counts = []
    for size in (2, 30):
        names = [f"reserved-{size}-{number}" for number in range(size)]
        for name in names:
            person = make_user(name)
            says(person, WhoMayAdd.CONTACTS)
            Message.objects.create(sender=person, receiver=ann, content="hi")
        with CaptureQueriesContext(connection) as queries:
            start_group(owner=ann, title="Us", usernames=names)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_new_accounts_take_the_installations_default(settings: Settings) -> None:
    settings.PARLEY_WHO_MAY_ADD = "contacts"
    user = create_account(username="dora", password=None, display_name=None)
    assert User.objects.get(pk=user.pk).who_may_add == WhoMayAdd.CONTACTS


def test_groups_are_limited_for_each_account(
    limited: Settings, ann: User, bob: User
) -> None:
    limited.PARLEY_LIMIT_GROUPS = Rate(2, AGE)
    for _ in range(2):
        start_group(owner=ann, title="Us", usernames=[])
    with pytest.raises(RateLimitedError) as refused:
        start_group(owner=ann, title="Us", usernames=[])
    assert refused.value.limit_status.limit == "groups"
    assert Conversation.objects.count() == 2
    start_group(owner=bob, title="Us", usernames=[])


def test_people_added_are_limited_however_they_are_added(
    limited: Settings, ann: User, bob: User, cleo: User
) -> None:
    limited.PARLEY_LIMIT_ADDITIONS = Rate(3, AGE)
    group = start_group(owner=ann, title="Us", usernames=["bob"]).conversation
    start_group(owner=ann, title="Us", usernames=["bob", "cleo", "ann"])
    # In already.
    put_participant(group=owned(ann, group), username="bob", role="member")
    with pytest.raises(RateLimitedError) as refused:
        put_participant(group=owned(ann, group), username="cleo", role="member")
    assert refused.value.limit_status.limit == "additions"
    assert group.participants.count() == 2


def test_what_was_refused_is_not_counted(
    limited: Settings, ann: User, bob: User
) -> None:
    limited.PARLEY_LIMIT_GROUPS = limited.PARLEY_LIMIT_ADDITIONS = Rate(1, AGE)
    says(bob, WhoMayAdd.NOBODY)
    for _ in range(3):
        with pytest.raises(NotDeliverableError):
            start_group(owner=ann, title="Us", usernames=["bob"])
    says(bob, WhoMayAdd.EVERYONE)
    start_group(owner=ann, title="Us", usernames=["bob"])
    assert set(LimitCounter.objects.values_list("used", flat=True)) == {1}


def test_strangers_written_to_are_limited(
    limited: Settings, ann: User, bob: User, cleo: User
) -> None:
    limited.PARLEY_LIMIT_FIRST_CONTACTS = Rate(1, AGE)
    for _ in range(3):
        Message.objects.create(sender=ann, receiver=bob, content="hello")
    with pytest.raises(RateLimitedError) as refused:
        Message.objects.create(sender=ann, receiver=cleo, content="hello")
    assert refused.value.limit_status.limit == "first-contacts"
    with pytest.raises(RateLimitedError):
        open_direct(one=UserId(ann.pk), other=UserId(cleo.pk))
    assert Conversation.objects.count() == 1
    # Who is written to may answer.
    Message.objects.create(sender=cleo, receiver=ann, content="hello")
    Message.objects.create(sender=ann, receiver=cleo, content="hello")


def test_the_fan_out_of_messages_is_limited(
    limited: Settings, ann: User, bob: User, group: Conversation
) -> None:
    limited.PARLEY_LIMIT_FAN_OUT = Rate(5, AGE)
    for _ in range(2):
        Message.objects.create(sender=ann, conversation=group, content="hello")
    with pytest.raises(RateLimitedError) as refused:
        Message.objects.create(sender=ann, conversation=group, content="hello")
    assert refused.value.limit_status.limit == "fan-out"
    assert Message.objects.count() == 2
    Message.objects.create(sender=ann, receiver=bob, content="hello")
    Message.objects.create(sender=bob, conversation=group, content="hello")
