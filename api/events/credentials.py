"""Credentials that streams were opened with, and which of them have ended since."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from messaging.ids import TokenId, UserId
from messaging.services.sessions import passwords_of_sessions
from messaging.services.tokens import valid_token_ids


@dataclass(frozen=True, slots=True)
class Credential:
    """The token or session that opened a stream, and the user's password hash at that time."""

    user: UserId
    token: TokenId | None
    session: str | None
    password: str


def ended_credentials(used: AbstractSet[Credential]) -> frozenset[Credential]:
    """Those that expired or were revoked, or whose user was suspended or deleted.

    One query for all tokens, and one for all sessions.
    """
    held = valid_token_ids(
        token_ids={one.token for one in used if one.token is not None}
    )
    passwords = passwords_of_sessions(
        keys={one.session for one in used if one.session is not None}
    )
    return frozenset(
        one
        for one in used
        if (
            one.token not in held
            if one.token is not None
            else passwords.get(one.session or "") != one.password
        )
    )
