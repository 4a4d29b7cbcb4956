"""What staff read of others' messages is recorded first, and told to those looked at."""

import re
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver
from django.utils import timezone

from messaging.administration.looks import RecordedAdmin
from messaging.ids import ConversationId, LookId, MessageId, UserId
from messaging.models import (
    Conversation,
    Look,
    LookNotice,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.models.looks import LookSource
from messaging.services import looks, participants
from messaging.services.consistency import find_inconsistencies
from messaging.services.conversations import start_group
from messaging.services.messages import edit_message
from messaging.services.oversight import oversight, permissions_for
from tests.conftest import PASSWORD, MakeUser
from tests.proofs import membership_of, own_of, owned_by
from tests.rows import insert, overwrite

SECRETS = ("tulips", "daffodils", "crocuses", "primroses")
ADMIN = "/admin/messaging"


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", PASSWORD)


@pytest.fixture
def staff(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


@pytest.fixture
def team(ann: User, bob: User, cleo: User) -> Conversation:
    """A group of ann and bob, whose title and messages each have a secret of their own."""
    return start_group(owner=ann, title="tulips", usernames=["bob"]).conversation


@pytest.fixture
def reply(ann: User, bob: User, team: Conversation) -> Message:
    above = Message.objects.create(sender=ann, conversation=team, content="daffodils")
    reply = Message.objects.create(
        sender=bob, conversation=team, content="crocuses", parent_message=above
    )
    edit_message(message=own_of(bob, reply), content="primroses")
    return reply


def told(user: User) -> list[tuple[str, int | None, int | None]]:
    """What a user is told of, oldest first: the page, the conversation and the message."""
    notices = LookNotice.objects.of(UserId(user.pk)).order_by("look")
    return list(
        notices.values_list("look__source", "look__conversation_id", "look__message_id")
    )


def look(by: User, conversation: Conversation, *people: User) -> None:
    looks.record_looks(
        by=UserId(by.pk),
        source=LookSource.MESSAGES,
        shown=[
            looks.Shown(
                ConversationId(conversation.pk),
                None,
                frozenset(person.pk for person in people),
            )
        ],
    )


# What is recorded


LIST_QUERIES = ("", "?q=s", "?all=", "?_facets=True", "?q=s&p=9999", "?_popup=1")


def _paths() -> Iterator[str]:
    """Every address of the admin, of every row that it can name."""
    patterns = list(admin.site.get_urls())
    assert patterns
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _paths_of_model(f"/admin/{pattern.pattern}", pattern)
        else:
            yield from _paths_of_site(str(pattern.pattern))


def _paths_of_model(base: str, resolver: URLResolver) -> Iterator[str]:
    app_label, model_name = base.split("/")[2:4]
    rows = [*apps.get_model(app_label, model_name)._default_manager.all()]
    for pattern in resolver.url_patterns:
        route = str(pattern.pattern)
        argument = re.search("<[^>]*>", route)
        if argument is None:
            yield from (f"{base}{route}{query}" for query in LIST_QUERIES)
        else:
            for row in rows:
                yield base + route.replace(argument.group(), str(row.pk))


def _paths_of_site(route: str) -> Iterator[str]:
    if route == "autocomplete/":
        for model in admin.site._registry:
            for field in model._meta.get_fields():
                names = f"{model._meta.app_label}&model_name={model._meta.model_name}"
                yield f"/admin/{route}?app_label={names}&field_name={field.name}"
    elif route.startswith("r/"):
        for model in admin.site._registry:
            kind = ContentType.objects.get_for_model(model).pk
            for row in model._default_manager.all():
                yield f"/admin/r/{kind}/{row.pk}/"
    elif "app_label" in route:
        labels = {model._meta.app_label for model in admin.site._registry}
        yield from (f"/admin/{label}/" for label in labels)
    elif "url" in route:
        yield "/admin/nothing"
    elif route != "logout/":
        assert "<" not in route, "Say here which addresses this has."
        yield f"/admin/{route}"


@pytest.mark.usefixtures("reply")
def test_no_page_of_the_admin_shows_content_without_a_look(
    staff: Client, root: User, ann: User, bob: User, team: Conversation
) -> None:
    showing = set[str]()
    for path in [*_paths()]:
        overwrite(Look.objects.all(), at=timezone.now() - looks.ONE_RECORD_FOR)
        before = Look.objects.count()
        page = staff.get(path, follow=True).text
        if any(secret in page for secret in SECRETS):
            assert path.startswith(f"{ADMIN}/"), path
            showing.add(path.split("/")[3])
            recorded = Look.objects.order_by("pk")[before:]
            assert {(each.by, each.conversation_id) for each in recorded} == {
                (root, team.pk)
            }, path
            assert told(ann)[-1] == told(bob)[-1]
    # Each of these shows some.
    assert showing == {
        *("conversation", "participant", "message", "messagehistory", "notification")
    }
    assert staff.get(f"{ADMIN}/look/").status_code == HTTPStatus.OK


def test_nothing_is_completed_while_it_is_typed(staff: Client, reply: Message) -> None:
    query = "app_label=messaging&model_name=message&field_name=parent_message"
    answer = staff.get(f"/admin/autocomplete/?{query}&term=d")
    assert answer.status_code == HTTPStatus.NOT_FOUND


LISTS = [
    f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    for model in admin.site._registry
]


def offered_by(staff: Client, path: str) -> set[str]:
    """The parameters by which the filters of a list are chosen on its page."""
    changes = staff.get(path).context["cl"]
    filters, *_ = changes.get_filters(RequestFactory().get(path))
    return {name for each in filters for name in each.expected_parameters()}


def test_a_list_is_filtered_by_what_it_offers_and_nothing_else(
    staff: Client, reply: Message
) -> None:
    for model, shown in admin.site._registry.items():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        offered = offered_by(staff, path)
        names = {field.name for field in model._meta.get_fields()} | {"pk", "none"}
        paths = {*names, *(f"{name}__pk" for name in names), *shown.search_fields}
        operators = (
            "",
            "__exact",
            "__startswith",
            "__regex",
            "__in",
            "__gte",
            "__isnull",
        )
        for lookup in (f"{path}{operator}" for path in paths for operator in operators):
            answer = staff.get(path, {lookup: "1"})
            allowed = lookup in offered
            assert (answer.status_code == HTTPStatus.BAD_REQUEST) != allowed, lookup
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize(
    "query",
    [
        *("content__regex=(", "username__regex=(", "display_name__regex=^(a%2B)%2B$"),
        *("sent_messages=1", "received_messages=1", "content__startswith=d"),
        *("_to_field=content", "name__regex=("),
    ],
)
def test_what_a_list_does_not_offer_is_refused(
    staff: Client, reply: Message, query: str
) -> None:
    for path in LISTS:
        answer = staff.get(f"{path}?{query}")
        assert answer.status_code == HTTPStatus.BAD_REQUEST, path
    assert not Look.objects.exists()


STRANGE = (
    *("%00", "(", "%ED%A0%80", "-1", "9" * 5000, "²", "a " * 3000, "2026-02-30", ""),
    *("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "nan", "👩"),
)


@pytest.mark.parametrize("path", LISTS)
def test_no_parameter_of_a_list_breaks_it(
    staff: Client, reply: Message, path: str
) -> None:
    own = ("q", "p", "o", "e", "all", "_facets", "_popup", "_to_field")
    for name in (*own, *offered_by(staff, path)):
        for value in STRANGE:
            answer = staff.get(f"{path}?{name}={value}")
            assert answer.status_code in {
                HTTPStatus.OK,
                HTTPStatus.FOUND,
                HTTPStatus.BAD_REQUEST,
            }, (name, value[:30])


@pytest.mark.parametrize("path", LISTS)
def test_no_list_counts_what_its_filters_hide(
    staff: Client, reply: Message, path: str
) -> None:
    assert not staff.get(f"{path}?_facets=True").context["cl"].add_facets


def test_a_page_beyond_the_last_is_the_last(
    staff: Client, ann: User, bob: User, team: Conversation
) -> None:
    for number in range(51):
        Message.objects.create(sender=ann, conversation=team, content=f"d {number}")
    for page in ("9999", "-3", "0", "9" * 30):
        answer = staff.get(f"{ADMIN}/message/", {"q": "d", "p": page})
        assert answer.status_code == HTTPStatus.OK
        assert len(answer.context["cl"].result_list) > 0
    assert told(bob) == [(LookSource.MESSAGES, team.pk, None)]
    for page in ("1", "9999"):
        answer = staff.get(f"{ADMIN}/message/", {"q": "orchids", "p": page})
        assert answer.status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    ("model", "source"),
    [
        (Message, LookSource.MESSAGES),
        (MessageHistory, LookSource.HISTORIES),
        (Notification, LookSource.NOTIFICATIONS),
    ],
)
def test_a_message_that_is_opened_is_named(
    staff: Client,
    ann: User,
    reply: Message,
    model: type[Message | MessageHistory | Notification],
    source: str,
) -> None:
    row = model._default_manager.latest("pk")
    staff.get(f"{ADMIN}/{model._meta.model_name}/{row.pk}/change/")
    assert told(ann) == [(source, reply.conversation_id, reply.pk)]


def test_a_list_is_a_look_at_each_conversation_in_it(
    staff: Client, ann: User, bob: User, cleo: User, reply: Message
) -> None:
    other = Message.objects.create(sender=ann, receiver=cleo, content="hi")
    staff.get(f"{ADMIN}/message/")
    team, direct = (
        (LookSource.MESSAGES, pk, None)
        for pk in (reply.conversation_id, other.conversation_id)
    )
    assert (sorted(told(ann)), told(bob), told(cleo)) == (
        sorted([team, direct]),
        [team],
        [direct],
    )


def test_a_list_that_finds_nothing_is_no_look(staff: Client, reply: Message) -> None:
    staff.get(f"{ADMIN}/message/", {"q": "orchids"})
    assert not Look.objects.exists()


def test_a_page_that_is_refused_is_no_look(ann: User, reply: Message) -> None:
    ann.is_staff = True
    ann.save()
    client = Client()
    client.force_login(ann)
    for path in ("", f"{reply.pk}/change/", f"{reply.pk}/history/"):
        answer = client.get(f"{ADMIN}/message/{path}")
        assert answer.status_code == HTTPStatus.FORBIDDEN
    assert not Look.objects.exists()


@pytest.mark.parametrize("path", ["", "{}/change/", "{}/history/"])
def test_what_cannot_be_recorded_is_not_shown(
    staff: Client, reply: Message, path: str
) -> None:
    def refuse(execute: object, sql: str, *_: object) -> object:
        if "INSERT INTO" in sql and "messaging_look" in sql:
            raise OperationalError("no room")
        assert callable(execute)
        return execute(sql, *_)

    staff.raise_request_exception = False
    with connection.execute_wrapper(refuse):
        answer = staff.get(f"{ADMIN}/message/{path.format(reply.pk)}")
    assert answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    assert not any(secret in answer.text for secret in SECRETS)


def test_looks_within_minutes_are_one_record(
    root: User, ann: User, team: Conversation
) -> None:
    for _ in range(3):
        look(root, team)
    assert len(told(ann)) == 1
    overwrite(Look.objects.all(), at=timezone.now() - looks.ONE_RECORD_FOR)
    look(root, team)
    assert len(told(ann)) == 2


def test_a_look_again_costs_the_same_however_many_were_told(
    root: User, ann: User, make_user: MakeUser
) -> None:
    work = []
    for size in (2, 60):
        group = start_group(owner=ann, title=f"{size}", usernames=[]).conversation
        for number in range(size):
            other = make_user(f"p{size}-{number}")
            insert(Participant(conversation=group, user=other))
        long_ago = timezone.now() - timedelta(days=1)
        overwrite(Participant.objects.all(), joined_at=long_ago)
        look(root, group)
        before = LookNotice.objects.count()
        with CaptureQueriesContext(connection) as queries:
            look(root, group)
        assert LookNotice.objects.count() == before
        work.append([query["sql"] for query in queries])
        assert not any("INSERT" in query["sql"] for query in queries)
    assert len(work[0]) == len(work[1])


def test_who_joins_between_two_looks_of_one_record_is_told(
    root: User, cleo: User, team: Conversation, ann: User
) -> None:
    look(root, team)
    participants.put_participant(
        group=owned_by(ann, team), username="cleo", role="member"
    )
    assert not told(cleo)
    look(root, team)
    look(root, team)
    assert len(told(cleo)) == len(told(ann)) == 1


def test_looks_of_others_and_by_other_pages_are_records_of_their_own(
    root: User, ann: User, cleo: User, team: Conversation
) -> None:
    look(root, team)
    look(cleo, team)
    looks.record_looks(
        by=UserId(root.pk),
        source=LookSource.HISTORIES,
        shown=[looks.Shown(ConversationId(team.pk), MessageId(7), frozenset())],
    )
    assert len(told(ann)) == 3


def test_a_list_costs_as_many_queries_for_many_conversations(
    root: User, ann: User, make_user: MakeUser
) -> None:
    shown = [
        looks.Shown(
            ConversationId(
                Message.objects.create(
                    sender=ann, receiver=make_user(f"p{number}"), content="hi"
                ).conversation_id
            ),
            None,
            frozenset({ann.pk}),
        )
        for number in range(8)
    ]
    counts = list[int]()
    for some in (shown[:2], shown[2:]):
        with CaptureQueriesContext(connection) as queries:
            looks.record_looks(
                by=UserId(root.pk), source=LookSource.MESSAGES, shown=some
            )
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert len(told(ann)) == 8


def test_a_page_of_the_admin_shows_no_more_than_fifty_conversations(
    staff: Client,
) -> None:
    for model in admin.site._registry.values():
        if isinstance(model, RecordedAdmin):
            assert (model.list_per_page, model.list_max_show_all) == (50, 50)


# Who is told


def test_who_came_later_is_not_told(
    root: User, ann: User, cleo: User, team: Conversation
) -> None:
    look(root, team)
    insert(Participant(conversation=team, user=cleo))
    assert (len(told(ann)), told(cleo)) == (1, [])


def test_who_came_within_the_minutes_is_told_of_a_repeated_look(
    root: User, cleo: User, team: Conversation
) -> None:
    look(root, team)
    insert(Participant(conversation=team, user=cleo))
    look(root, team)
    assert len(told(cleo)) == 1


def test_who_left_is_told_of_looks_before_and_at_what_they_wrote(
    staff: Client, root: User, ann: User, bob: User, reply: Message, team: Conversation
) -> None:
    participants.remove_participant(membership=membership_of(bob, team), username="bob")
    staff.get(f"{ADMIN}/conversation/")
    assert (len(told(ann)), told(bob)) == (1, [])
    staff.get(f"{ADMIN}/message/{reply.pk}/change/")
    assert told(bob) == [(LookSource.MESSAGES, team.pk, reply.pk)]


def test_who_left_is_told_when_what_they_wrote_is_shown_above_a_reply(
    staff: Client, ann: User, reply: Message, team: Conversation
) -> None:
    participants.remove_participant(membership=membership_of(ann, team), username="ann")
    assert "daffodils" in staff.get(f"{ADMIN}/message/{reply.pk}/change/").text
    assert told(ann) == [(LookSource.MESSAGES, team.pk, reply.pk)]


def test_nobody_is_told_of_their_own_look(
    root: User, bob: User, ann: User, team: Conversation
) -> None:
    look(bob, team, bob, ann)
    assert (told(bob), len(told(ann))) == ([], 1)
    assert not list(find_inconsistencies())
    insert(LookNotice(look=Look.objects.get(), user=bob))
    (finding,) = find_inconsistencies()
    assert finding.promise == "nobody is told of their own look"


def test_what_was_seen_is_new_no_more(
    root: User, ann: User, bob: User, team: Conversation
) -> None:
    look(root, team)
    look(bob, team)
    first, second = (LookId(each.pk) for each in Look.objects.order_by("pk"))
    new = LookNotice.objects.of(UserId(ann.pk)).new()
    looks.mark_looks_seen(reader=UserId(ann.pk), up_to=first)
    assert list(new.values_list("look", flat=True)) == [second]
    looks.mark_looks_seen(reader=UserId(ann.pk), up_to=second)
    assert not new.exists()
    # That of somebody else stays.
    assert LookNotice.objects.of(UserId(bob.pk)).new().count() == 1


# Passwords


def test_a_password_that_staff_set_is_told(
    staff: Client, root: User, ann: User
) -> None:
    secret = "another horse, another battery"
    path = f"{ADMIN}/user/{ann.pk}/password/"
    page = staff.get(path, follow=True)
    address = page.redirect_chain[-1][0]
    for own, new in (("wrong", secret), (PASSWORD, "weak")):
        staff.post(address, {"password": own, "new_password": new})
    for usable in ("true", "false"):
        staff.post(path, {"usable_password": usable, "password1": secret}, follow=True)
    assert not told(ann)
    staff.post(address, {"password": PASSWORD, "new_password": secret})
    assert told(ann) == [(LookSource.PASSWORD, None, None)]
    assert Look.objects.get().by == root


def test_a_password_of_ones_own_is_no_look(root: User) -> None:
    looks.record_password(by=UserId(root.pk), user_id=UserId(root.pk))
    assert not Look.objects.exists()


def test_only_a_password_is_of_no_conversation(root: User) -> None:
    with pytest.raises(IntegrityError):
        insert(Look(by=root, source=LookSource.MESSAGES))


# What is left


def test_with_the_account_goes_what_it_was_told_of(
    root: User, ann: User, bob: User, team: Conversation
) -> None:
    look(root, team)
    looks.record_password(by=UserId(root.pk), user_id=UserId(ann.pk))
    ann.delete()
    assert (len(told(bob)), Look.objects.count()) == (1, 1)
    bob.delete()
    assert not Look.objects.exists()


def test_who_deletes_staff_deletes_the_name_and_not_the_look(
    root: User, ann: User, team: Conversation
) -> None:
    look(root, team)
    root.delete()
    assert len(told(ann)) == 1
    page = looks.look_page(reader=UserId(ann.pk), cursor=None, limit=10)
    assert [each.by for each in page.items] == [None]


def test_a_look_outlives_its_conversation(
    root: User, ann: User, bob: User, message: Message
) -> None:
    look(root, message.conversation)
    ann.delete()
    assert not Conversation.objects.exists()
    assert told(bob) == [(LookSource.MESSAGES, message.conversation_id, None)]


def test_old_looks_are_cleared(root: User, ann: User, team: Conversation) -> None:
    look(root, team)
    assert looks.clear_expired_looks() == 0
    old = timezone.now() - looks.KEPT_FOR - timedelta(minutes=1)
    overwrite(Look.objects.all(), at=old)
    look(root, team)
    assert (looks.clear_expired_looks(), looks.clear_expired_looks()) == (1, 0)
    assert len(told(ann)) == 1


def test_nobody_changes_or_deletes_a_look_in_the_admin(
    staff: Client, root: User, team: Conversation
) -> None:
    look(root, team)
    rows = list(Look.objects.values())
    path = f"{ADMIN}/look/{Look.objects.get().pk}"
    assert "root" in staff.get(f"{path}/change/").text
    for page in ("change", "delete"):
        answer = staff.post(f"{path}/{page}/", {"post": "yes", "source": "messages"})
        assert answer.status_code == HTTPStatus.FORBIDDEN
    chosen = {"_selected_action": rows[0]["id"], "post": "yes"}
    staff.post(f"{ADMIN}/look/", {"action": "delete_selected", **chosen})
    assert list(Look.objects.values()) == rows


# Who may look


def test_oversight_counts_who_can_look_now(
    root: User, ann: User, bob: User, cleo: User, make_user: MakeUser
) -> None:
    viewing = Permission.objects.get(codename="view_message")
    changing = Permission.objects.get(codename="change_user")
    for user in (ann, bob, cleo):
        user.user_permissions.set([viewing, changing])
    # Bob cannot sign in to the admin, and cleo cannot sign in at all.
    User.objects.filter(pk__in=(ann.pk, cleo.pk)).update(is_staff=True)
    User.objects.filter(pk=cleo.pk).update(is_active=False)
    # No member of staff, but the pages of the administration are theirs.
    make_user("zoe")
    User.objects.filter(username="zoe").update(is_superuser=True)
    assert not User.objects.get(username="zoe").is_staff
    counted = oversight()
    assert (counted.staff, counted.superusers) == (3, 2)
    people = {right.source: right.people for right in counted.rights}
    assert people == {
        **dict.fromkeys(LookSource, 2),
        LookSource.MESSAGES: 3,
        LookSource.PASSWORD: 3,
    }


def test_counting_them_reads_no_other_account(root: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        oversight()
    statement = queries[0]["sql"]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Otherwise it reads a table of so few rows.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {statement}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        assert "user_staff" in str(cursor.fetchall())


def test_oversight_names_every_page_that_records() -> None:
    recorded = {
        model.source
        for model in admin.site._registry.values()
        if isinstance(model, RecordedAdmin)
    }
    assert recorded == set(LookSource) - {LookSource.PASSWORD}


@pytest.mark.parametrize("source", LookSource)
def test_each_right_that_is_named_is_enough(
    db: None, ann: User, bob: User, reply: Message, source: LookSource
) -> None:
    """And none of the others is: it is told of what it opens."""
    pages = {
        LookSource.CONVERSATIONS: "conversation/",
        LookSource.PARTICIPANTS: "participant/",
        LookSource.MESSAGES: "message/",
        LookSource.HISTORIES: "messagehistory/",
        LookSource.NOTIFICATIONS: "notification/",
        LookSource.PASSWORD: f"user/{bob.pk}/password/",
    }
    for codename in permissions_for(source):
        clerk = User.objects.create_user(f"clerk-{codename}", PASSWORD)
        clerk.is_staff = True
        clerk.save()
        clerk.user_permissions.set(Permission.objects.filter(codename=codename))
        client = Client()
        client.force_login(clerk)
        opened = {
            each
            for each, page in pages.items()
            if client.get(f"{ADMIN}/{page}", follow=True).status_code == HTTPStatus.OK
        }
        assert opened == {source}
