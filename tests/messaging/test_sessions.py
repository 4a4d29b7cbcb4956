"""Whose a session is: decided by what it holds, in the statement that reads it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from messaging.models import Session, User

PAGE = "/account/delete"


@pytest.fixture
def browser(ann: User) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def test_one_statement_reads_a_session_and_its_user(browser: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        browser.get(PAGE)
    statements = [each["sql"] for each in asked.captured_queries]
    assert '"messaging_session"' in statements[0]
    assert not [sql for sql in statements if 'FROM "messaging_user"' in sql]


def test_the_user_is_the_one_whom_the_session_holds_whatever_its_column_says(
    browser: Client, ann: User, bob: User
) -> None:
    Session.objects.update(user=bob)
    assert f'data-person="{ann.pk}"' in browser.get(PAGE).content.decode()
    Session.objects.update(user=None)
    assert f'data-person="{ann.pk}"' in browser.get(PAGE).content.decode()


def test_a_session_ends_with_its_user_being_suspended(
    browser: Client, ann: User
) -> None:
    assert browser.get(PAGE).status_code == 200
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert browser.get(PAGE).status_code == 302


def test_a_session_ends_with_the_password_of_its_user(
    browser: Client, ann: User
) -> None:
    ann.set_password("another password of hers")
    User.objects.filter(pk=ann.pk).update(password=ann.password)
    assert browser.get(PAGE).status_code == 302


def test_a_session_ends_with_the_way_in_which_it_was_opened(
    browser: Client, settings: Settings
) -> None:
    settings.AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.AllowAllUsersModelBackend"
    ]
    assert browser.get(PAGE).status_code == 302
