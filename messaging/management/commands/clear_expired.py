from django.core.management.base import BaseCommand
from typing_extensions import override

from messaging.management.terminal import counted
from messaging.services.events import clear_expired_events
from messaging.services.exports import clear_expired_exports
from messaging.services.idempotency import clear_expired_keys
from messaging.services.invites import clear_expired_invitations
from messaging.services.limit_counters import clear_expired_counters
from messaging.services.looks import clear_expired_looks
from messaging.services.presence import clear_expired_presence
from messaging.services.sessions import clear_expired_sessions
from messaging.services.tokens import clear_expired_tokens
from messaging.services.typing_indicators import clear_expired_typing


class Command(BaseCommand):
    help = (
        "Delete expired idempotency keys and sessions, counters of limits whose window "
        "is over, tokens and invitations that expired a month ago, events past their "
        "retention, and looks of staff a year old. Run it once a day."
    )

    @override
    def handle(self, *args: object, **options: object) -> None:
        for count, noun in (
            (clear_expired_keys(), "idempotency key"),
            (clear_expired_sessions(), "session"),
            (clear_expired_tokens(), "access token"),
            (clear_expired_invitations(), "invitation"),
            (sum(iter(clear_expired_counters, 0)), "limit counter"),
            (sum(iter(clear_expired_events, 0)), "event"),
            (sum(iter(clear_expired_looks, 0)), "look"),
            (
                clear_expired_typing()
                + clear_expired_presence()
                + clear_expired_exports(),
                "ephemeral row",
            ),
        ):
            self.stdout.write(f"Cleared {counted(count, noun)}.")
