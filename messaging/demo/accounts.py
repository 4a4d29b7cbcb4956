"""The accounts of the demo, told from those of real people."""

from typing import Final

from messaging.demo.script import PEOPLE
from messaging.models import User
from messaging.models.users import UserQuerySet

# External ids mark demo accounts: a real account may have one of the demo's usernames.
MARK: Final = "parley-demo/"


def demo_people() -> UserQuerySet:
    """The first is the one to sign in as; the user may have deleted accounts since."""
    marks = [f"{MARK}{username}" for username in PEOPLE]
    return User.objects.filter(external_id__in=marks).order_by("pk")
