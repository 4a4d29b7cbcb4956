"""Going to any person, group or command by a part of its name."""

import pytest
from django.test import Client

from messaging.models import Conversation, Message, User
from messaging.services.users import change_display_name
from tests.chats.html import parse
from tests.conftest import MakeUser

IN_PLACE = {"HX-Request": "true"}


def found(client: Client, typed: str) -> list[str]:
    """The paths of the options, the best first."""
    answer = client.get("/go", {"q": typed}, headers=IN_PLACE)
    options = parse(answer.content).all("li")
    return [each.get("data-href") or each["data-form"] for each in options]


def test_a_group_a_person_and_a_command_are_found(
    anns: Client, group: Conversation, make_user: MakeUser
) -> None:
    make_user("dora", display_name="Dora Team")
    assert found(anns, "team") == [f"/conversations/{group.pk}", "/people/@dora"]
    assert found(anns, "sIgN oUt") == ["/sign-out"]
    assert "/settings" in found(anns, "tting")


def test_any_part_in_any_script_finds_a_conversation(
    anns: Client, bob: User, message: Message
) -> None:
    change_display_name(user=bob, display_name="Łukasz Zoë")
    path = f"/conversations/{message.conversation_id}"
    assert found(anns, "kasz") == found(anns, "oe") == [path]


def test_who_has_a_conversation_is_found_once(anns: Client, message: Message) -> None:
    assert found(anns, "bob") == [f"/conversations/{message.conversation_id}"]


def test_names_that_begin_so_come_first(
    anns: Client, group: Conversation, make_user: MakeUser
) -> None:
    make_user("rosetta", display_name="Rosetta")
    make_user("settler", display_name="Settler")
    assert found(anns, "sett")[:2] == ["/people/@settler", "/settings"]


def test_nothing_typed_lists_conversations_and_commands(
    anns: Client, group: Conversation
) -> None:
    paths = found(anns, "")
    assert paths[0] == f"/conversations/{group.pk}"
    assert {"/settings", "/sign-out", "/keys", "/conversations/new"} <= {*paths}


@pytest.mark.parametrize("typed", ["zeppelin", "\x00", "x" * 5000])
def test_what_is_named_nowhere_is_found_nowhere(anns: Client, typed: str) -> None:
    assert found(anns, typed) == []


def test_nobody_finds_what_others_have(
    bobs: Client, group: Conversation, make_user: MakeUser, client: Client
) -> None:
    assert found(bobs, "team")
    client.force_login(make_user("stranger"))
    assert found(client, "team") == []


def test_without_scripts_it_is_a_page_of_links(
    anns: Client, group: Conversation
) -> None:
    page = parse(anns.get("/go?q=team").content)
    assert f"/conversations/{group.pk}" in [link.get("href") for link in page.all("a")]
    assert "Nothing is named like" in parse(anns.get("/go?q=zeppelin").content).text


@pytest.mark.parametrize(
    ("key", "sends"), [("enter", "Enter"), ("shift_enter", "Shift Enter")]
)
def test_the_keys_say_which_one_sends(
    anns: Client, ann: User, key: str, sends: str
) -> None:
    anns.post("/settings", {"display_name": "Ann", "send_key": key})
    texts = " ".join(parse(anns.get("/keys").content).text.split())
    assert f"{sends}Send" in texts
