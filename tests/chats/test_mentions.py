"""Mentions on pages: their options in the composer, and what they link to in messages."""

import pytest
from django.test import Client

from messaging.models import Conversation, Message, User
from messaging.services.participants import remove_participant
from tests.browsers import browser_of
from tests.chats.html import Attributes, parse
from tests.conftest import MakeUser
from tests.proofs import membership_of

IN_PLACE = {"HX-Request": "true"}


def mentions(client: Client, path: str) -> list[Attributes]:
    """The links of mentions on a page."""
    links = parse(client.get(path).content).all("a")
    return [link for link in links if link.get("class") == "mention"]


def say(sender: User, group: Conversation, content: str) -> Message:
    return Message.objects.create(sender=sender, conversation=group, content=content)


def test_the_options_are_those_who_can_be_mentioned(
    anns: Client, group: Conversation
) -> None:
    path = f"/conversations/{group.pk}/mentions"
    options = parse(anns.get(f"{path}?q=O", headers=IN_PLACE).content).all("li")
    assert [option["data-username"] for option in options] == ["bob", "cleo"]
    assert {option["role"] for option in options} == {"option"}
    assert parse(anns.get(f"{path}?q=%00").content).all("li") == []


def test_a_mention_links_to_the_card_of_whom_it_names(
    anns: Client, bob: User, cleo: User, group: Conversation
) -> None:
    say(cleo, group, "Ask @BOB or @nobody, not bob@example.org")
    [link] = mentions(anns, f"/conversations/{group.pk}")
    assert (link["href"], link["data-mentions"]) == ("/people/@bob", str(bob.pk))


def test_a_mention_is_the_same_for_all_readers(
    anns: Client, bobs: Client, cleo: User, group: Conversation
) -> None:
    say(cleo, group, "@bob and @ann")
    path = f"/conversations/{group.pk}"
    assert len(mentions(anns, path)) == 2
    assert mentions(anns, path) == mentions(bobs, path)
    rows = [client.get(f"{path}/messages").content for client in (anns, bobs)]
    assert rows[0] == rows[1]


def test_who_left_is_linked_no_more(
    anns: Client, bob: User, cleo: User, group: Conversation
) -> None:
    say(cleo, group, "@bob?")
    path = f"/conversations/{group.pk}"
    assert mentions(anns, path)
    remove_participant(membership=membership_of(bob, group), username="bob")
    assert not mentions(anns, path)
    assert "@bob?" in parse(anns.get(path).content).text


@pytest.mark.parametrize("place", ["messages/{0}/thread", "messages/{0}"])
def test_a_mention_links_wherever_its_message_is_shown(
    anns: Client, cleo: User, group: Conversation, place: str
) -> None:
    sent = say(cleo, group, "@bob?")
    answer = anns.get(f"/{place.format(sent.pk)}", headers=IN_PLACE)
    assert b'href="/people/@bob"' in answer.content


def test_ones_own_mentions_are_told_apart_by_ones_own_style(
    anns: Client, ann: User
) -> None:
    style = anns.get(f"/account/{ann.pk}/own.css").content.decode()
    assert f'.mention[data-mentions="{ann.pk}"]' in style


def test_a_card_says_who_it_is_and_which_groups_one_shares(
    anns: Client, group: Conversation
) -> None:
    page = parse(anns.get("/people/@BOB").content)
    assert "@bob" in page.text
    assert f"/conversations/{group.pk}" in [link.get("href") for link in page.all("a")]
    actions = [form["action"] for form in page.all("form")]
    assert {"/people/bob/block", "/conversations/new"} <= {*actions}


def test_a_card_shows_no_group_that_one_is_not_in(
    group: Conversation, make_user: MakeUser
) -> None:
    page = parse(browser_of(make_user("stranger")).get("/people/@bob").content)
    assert "Team" not in page.text
    assert "There is none." in page.text


def test_ones_own_card_has_nothing_to_do_with_oneself(
    anns: Client, group: Conversation
) -> None:
    page = parse(anns.get("/people/@ann").content)
    assert "This is how others see you." in page.text
    assert not [form for form in page.all("form") if "/block" in form["action"]]


@pytest.mark.parametrize("name", ["nobody", "gone"])
def test_there_is_no_card_of_nobody(
    anns: Client, make_user: MakeUser, name: str
) -> None:
    gone = make_user("gone")
    gone.is_active = False
    gone.save()
    answer = anns.get(f"/people/@{name}")
    assert answer.status_code == 404
    assert "There is no such person." in parse(answer.content).text
