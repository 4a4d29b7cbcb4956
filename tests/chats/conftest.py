"""Fixtures of the pages' tests: browsers of people who are signed in."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from messaging.access import inviter
from messaging.ids import UserId
from messaging.models import Message, Session, User
from messaging.services.invites import create_server_invitation
from messaging.services.notifications import mark_message_read
from tests.browsers import browser_of
from tests.contract.sample_data import PASSWORD, SampleData, create_sample_data
from tests.proofs import received_by


@pytest.fixture
def anns(ann: User) -> Client:
    """Ann's browser."""
    return browser_of(ann)


@pytest.fixture
def bobs(bob: User) -> Client:
    """Bob's browser."""
    return browser_of(bob)


@pytest.fixture
def cleos(cleo: User) -> Client:
    """Cleo's browser."""
    return browser_of(cleo)


@pytest.fixture
def sample_data(db: None) -> SampleData:
    """Ann has two browsers, and a message that she has read."""
    sample_data = create_sample_data()
    ann, bob = (User.objects.get(username=name) for name in ("ann", "bob"))
    read = Message.objects.create(sender=bob, receiver=ann, content="read")
    mark_message_read(message=received_by(ann, read), reader=UserId(ann.pk))
    browser_of(ann)
    maker = inviter(User.objects.create_superuser("root", PASSWORD))
    assert maker is not None
    to_server = create_server_invitation(
        maker=maker, uses=1, expires_in=timedelta(days=1)
    )
    User.objects.create_user("idle")
    User.objects.filter(username="idle").update(is_active=False)
    return replace(
        sample_data,
        examples={
            **sample_data.examples,
            "read_message.message_id": sample_data.examples[
                "messages_mark_read.message_id"
            ],
            "unread_message.message_id": read.pk,
            "reference": Session.objects.get(user=ann).pk,
            "user_id": ann.pk,
            "sign_in.username": "ann",
            "let_in.username": "idle",
            "server_name": "Elm Street",
            "sign_up.username": "newcomer",
            "add_participant.username": "dora",
            "unblock.username": "anselm",
            "kind": "direct",
            "start_conversation.participant": "cleo",
            "read_conversation.up_to": 4,
            "range": "1-4",
            "catch_up_undo.conversation_id": read.conversation_id,
            "edit_message.version": 3,
            "on": "1",
            "days": 30,
            "uses": 5,
            "revoke_server_invitation.invitation_id": to_server.invitation.pk,
            "current": PASSWORD,
        },
    )


@pytest.fixture
def sample_data_browser(sample_data: SampleData) -> Client:
    """Ann's browser; she has a row of everything in the sample data."""
    return browser_of(User.objects.get(username="ann"))
