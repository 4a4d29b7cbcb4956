"""Rate limits and quotas: an action is counted before it is done, so that no burst exceeds them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from django.conf import settings

from messaging.errors import (
    InvalidInviteError,
    LimitsUnavailableError,
    SignInError,
    WrongPasswordError,
)
from messaging.ids import UserId
from messaging.lock_timeouts import lock_timeout
from messaging.rates import LimitStatus, Rate
from messaging.services.limit_counters import (
    CACHE,
    NEVER_WAITING,
    Store,
    Taken,
    shared_store,
    take,
)

# Quotas for actions of an account that burden other people or the server.
Quota = Literal[
    "additions", "exports", "first-contacts", "groups", "minted-tokens", "renames"
]

_QUOTAS: Final[Mapping[Quota, str]] = MappingProxyType(
    {
        "additions": "PARLEY_LIMIT_ADDITIONS",
        "exports": "PARLEY_LIMIT_EXPORTS",
        "first-contacts": "PARLEY_LIMIT_FIRST_CONTACTS",
        "groups": "PARLEY_LIMIT_GROUPS",
        "minted-tokens": "PARLEY_LIMIT_MINTED_TOKENS",
        "renames": "PARLEY_LIMIT_RENAMES",
    }
)


@dataclass(frozen=True, slots=True)
class PasswordAttempt:
    """The remaining quotas after a wrong and after a right password."""

    if_wrong: tuple[LimitStatus, ...]
    if_right: tuple[LimitStatus, ...]


@contextmanager
def counted_password_attempt(
    *, username: str, address: str
) -> Iterator[PasswordAttempt]:
    """Count a password attempt before it is made, both as a wrong and as a right one.

    Afterwards it gives back the count that does not apply. Right passwords are counted
    too, since hashing costs the same. Both are counted per account and address, so that
    nobody can lock other users out from elsewhere, and per address, so that nobody can
    try one password on all accounts. Unknown usernames are counted like others, so that
    they cannot be probed.

    Yields:
        The remaining quotas; none if limits are off.

    Raises:
        RateLimitedError: nothing was tried or counted.
        LimitsUnavailableError
    """
    if not settings.PARLEY_RATE_LIMITS:
        yield PasswordAttempt((), ())
        return
    wrong, right = _take_attempt(address, username.lower())
    try:
        yield PasswordAttempt(
            if_wrong=_limit_statuses(wrong, right),
            if_right=_limit_statuses(right, wrong),
        )
    # Only these errors mean a wrong password; anything else counts as a right one.
    except (SignInError, WrongPasswordError):
        _give_back(right)
        raise
    except BaseException:
        _give_back(wrong)
        raise
    _give_back(wrong)


@contextmanager
def spend_quota(quota: Quota, *, user_id: UserId, number: int = 1) -> Iterator[None]:
    """Count the body of the `with` against a quota; give the count back if the body raises.

    Enter it before locking a conversation: in the database, the counter's row stays
    locked until the transaction ends. Counted per account, so that nobody can use up
    another user's quota. If the counters are down, the action is allowed (fail open).

    Raises:
        RateLimitedError: nothing was done or counted.
    """
    taken = _spend(quota, user_id, number)
    try:
        yield
    except BaseException:
        if taken is not None:
            taken.give_back()
        raise


def count_registration(*, address: str) -> tuple[LimitStatus, ...]:
    """Count an attempt to register, successful or not.

    Raises:
        RateLimitedError, LimitsUnavailableError
    """
    if not settings.PARLEY_RATE_LIMITS:
        return ()
    taken = take(
        shared_store(),
        "registrations",
        settings.PARLEY_LIMIT_REGISTRATIONS,
        address,
    )
    return (taken.limit_status,)


def count_bad_token(*, address: str) -> None:
    """Count an invalid token per address; valid tokens from that address still work.

    Read requests have tokens too, and must not wait for writers: while the database is
    locked, each process counts in its own memory.

    Raises:
        RateLimitedError
    """
    if not settings.PARLEY_RATE_LIMITS:
        return
    # An invalid token is refused in any case, counted or not.
    with suppress(LimitsUnavailableError):
        if settings.PARLEY_SHARED_LIMITS == "cache":
            _take_of_bad_tokens(CACHE, address)
        else:
            _count_without_waiting(address)


@contextmanager
def counted_guess(*, of: UserId | None, address: str) -> Iterator[None]:
    """Count the use of an invitation's code before it is looked up; give a right one back.

    Counted per account, or per address of those without one: whoever guesses keeps
    nobody out who is signed in. Once the quota is used up, right codes are refused too.
    The codes have 128 random bits, so that this fails open: it bounds what guessing
    costs. While the database is locked, each process counts in its own memory, since
    looking at an invitation must not wait for writers.

    Raises:
        RateLimitedError: nothing was looked up.
    """
    taken = _take_guess(address if of is None else of)
    try:
        yield
    except InvalidInviteError:
        raise
    except BaseException:
        _give_back_guess(taken)
        raise
    _give_back_guess(taken)


def count_request(*, user_id: UserId, writes: bool) -> tuple[LimitStatus, ...]:
    """Count a request of a signed-in user; if the counters are down, allow it (fail open).

    Raises:
        RateLimitedError
    """
    if not settings.PARLEY_RATE_LIMITS:
        return ()
    name, rate = (
        ("writes", settings.PARLEY_LIMIT_WRITES)
        if writes
        else ("reads", settings.PARLEY_LIMIT_READS)
    )
    try:
        return (take(CACHE, name, rate, user_id).limit_status,)
    except LimitsUnavailableError:
        return ()


def count_key(*, user_id: UserId) -> None:
    """Count a new Idempotency-Key, which is kept for a day.

    Raises:
        RateLimitedError
    """
    _count_in_passing("keys", settings.PARLEY_LIMIT_KEYS, user_id, 1)


def count_fan_out(*, user_id: UserId, receivers: int) -> None:
    """Count the receivers of a message to a group.

    Raises:
        RateLimitedError
    """
    _count_in_passing("fan-out", settings.PARLEY_LIMIT_FAN_OUT, user_id, receivers)


def _count_in_passing(limit: str, rate: Rate, user_id: UserId, number: int) -> None:
    """Count in the cache, which is quick: most writes do this. Fails open."""
    if settings.PARLEY_RATE_LIMITS:
        with suppress(LimitsUnavailableError):
            take(CACHE, limit, rate, user_id, number=number)


def _count_without_waiting(address: str) -> None:
    try:
        _take_of_bad_tokens(NEVER_WAITING, address)
    except LimitsUnavailableError:
        _take_of_bad_tokens(CACHE, address)


def _take_guess(subject: str | UserId) -> Taken | None:
    if not settings.PARLEY_RATE_LIMITS:
        return None
    rate: Rate = settings.PARLEY_LIMIT_BAD_TOKENS
    stores = (
        (CACHE,) if settings.PARLEY_SHARED_LIMITS == "cache" else (NEVER_WAITING, CACHE)
    )
    for store in stores:
        with suppress(LimitsUnavailableError):
            return take(store, "invitations", rate, subject)
    return None


def _give_back_guess(taken: Taken | None) -> None:
    if taken is not None:
        with lock_timeout(0):
            taken.give_back()


def _take_of_bad_tokens(store: Store, address: str) -> None:
    take(store, "bad-tokens", settings.PARLEY_LIMIT_BAD_TOKENS, address)


def _spend(quota: Quota, user_id: UserId, number: int) -> Taken | None:
    if not settings.PARLEY_RATE_LIMITS or not number:
        return None
    rate: Rate = getattr(settings, _QUOTAS[quota])
    with suppress(LimitsUnavailableError):
        return take(shared_store(), quota, rate, user_id, number=number)
    return None


def _take_attempt(address: str, username: str) -> tuple[list[Taken], list[Taken]]:
    """Count one wrong and one right password, in all four counters or in none."""
    with ExitStack() as undo:

        def counted(limit: str, rate: Rate, *subject: str) -> Taken:
            taken = take(shared_store(), limit, rate, *subject)
            undo.callback(taken.give_back)
            return taken

        wrong = [
            counted("sign-in-address", settings.PARLEY_LIMIT_SIGN_IN_ADDRESS, address),
            counted("sign-in", settings.PARLEY_LIMIT_SIGN_IN, address, username),
        ]
        right = [
            counted(
                "passwords-address", settings.PARLEY_LIMIT_PASSWORDS_ADDRESS, address
            ),
            counted("passwords", settings.PARLEY_LIMIT_PASSWORDS, address, username),
        ]
        # All four succeeded: keep the counts.
        undo.pop_all()
    return wrong, right


def _limit_statuses(
    kept: Sequence[Taken], given_back: Sequence[Taken]
) -> tuple[LimitStatus, ...]:
    return (
        *(taken.limit_status for taken in reversed(kept)),
        *(taken.limit_status.given_back() for taken in reversed(given_back)),
    )


def _give_back(counts: Iterable[Taken]) -> None:
    for taken in counts:
        taken.give_back()
