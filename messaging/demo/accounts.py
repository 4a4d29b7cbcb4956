"""The accounts of the demo, told from those of real people."""

from typing import Final

from django.db.models import QuerySet

from messaging.demo.script import PEOPLE
from messaging.models import User

# External ids mark demo accounts: a real account may have one of the demo's usernames.
MARK: Final = "parley-demo/"


def demo_people() -> QuerySet[User]:
    """The first is the one to sign in as; the user may have deleted accounts since."""
    marks = [f"{MARK}{username}" for username in PEOPLE]
    return User.objects.filter(external_id__in=marks).order_by("pk")
