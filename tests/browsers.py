"""Browsers as Django's test client plays them."""

from django.test import Client

from messaging.models import User


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
