"""Counters of limits: exact, given back, apart from each other, cleared away."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Literal

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from messaging.errors import (
    InvalidPasswordError,
    LimitsUnavailableError,
    RateLimitedError,
    SignInError,
)
from messaging.ids import UserId
from messaging.models import LimitCounter
from messaging.rates import Rate
from messaging.services import limits
from tests.conftest import Execute, RunBeforeQuery

# So long a window that none ends during a test.
AGE = 1000 * 24 * 3600
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"

Store = Literal["cache", "database"]


@pytest.fixture(params=["cache", "database"])
def store(request: pytest.FixtureRequest, settings: Settings, db: None) -> Store:
    shared: Store = request.param
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_SHARED_LIMITS = shared
    settings.PARLEY_LIMIT_SIGN_IN = Rate(3, AGE)
    settings.PARLEY_LIMIT_SIGN_IN_ADDRESS = Rate(5, AGE)
    settings.PARLEY_LIMIT_PASSWORDS = Rate(40, AGE)
    settings.PARLEY_LIMIT_PASSWORDS_ADDRESS = Rate(50, AGE)
    settings.PARLEY_LIMIT_REGISTRATIONS = Rate(2, AGE)
    settings.PARLEY_LIMIT_BAD_TOKENS = Rate(2, AGE)
    return shared


def guess(username: str, *, address: str = HERE, right: bool = False) -> int:
    """Try a password; what is left of the account's quota if it is wrong."""
    left = -1
    with (
        suppress(SignInError),
        limits.counted_password_attempt(username=username, address=address) as counted,
    ):
        left = counted.if_wrong[0].remaining
        if not right:
            raise SignInError
    return left


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/15m", Rate(10, 900)),
        ("1/s", Rate(1, 1)),
        (" 5/2h ", Rate(5, 7200)),
        ("7/1d", Rate(7, 86400)),
    ],
)
def test_a_rate_is_a_number_in_a_time(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("text", ["", "10", "0/m", "10/0m", "10/m m", "-1/m", "1/w"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Not a rate"):
        Rate.parse(text)


def test_wrong_guesses_use_up_the_quota(store: Store) -> None:
    assert [guess("ann") for _ in range(3)] == [2, 1, 0]
    with pytest.raises(RateLimitedError) as limit_reached:
        guess("ann", right=True)
    assert limit_reached.value.limit_status.limit == "sign-in"
    assert limit_reached.value.limit_status.remaining == 0
    assert 0 < limit_reached.value.limit_status.resets_in <= AGE


def test_right_guesses_are_given_back(store: Store) -> None:
    assert [guess("ann", right=True) for _ in range(20)] == [2] * 20


def test_a_guess_that_was_right_is_given_back_when_more_goes_wrong(
    store: Store,
) -> None:
    for _ in range(10):
        with (
            pytest.raises(InvalidPasswordError),
            limits.counted_password_attempt(username="ann", address=HERE),
        ):
            raise InvalidPasswordError(["Too weak."], field="new_password")
    assert guess("ann") == 2


def test_the_case_of_a_name_makes_no_other_account(store: Store) -> None:
    assert [guess(name) for name in ("ann", "ANN", "Ann")] == [2, 1, 0]


def test_nobody_is_locked_out_from_elsewhere(store: Store) -> None:
    for _ in range(3):
        guess("ann", address=ELSEWHERE)
    with pytest.raises(RateLimitedError):
        guess("ann", address=ELSEWHERE)
    assert guess("ann", right=True) == 2


def test_an_address_cannot_guess_at_many_accounts(store: Store) -> None:
    for number in range(5):
        guess(f"person-{number}")
    with pytest.raises(RateLimitedError) as limit_reached:
        guess("ann")
    assert limit_reached.value.limit_status.limit == "sign-in-address"
    assert guess("ann", address=ELSEWHERE) == 2


def test_refused_guesses_at_an_account_are_not_counted_for_the_address(
    store: Store,
) -> None:
    for _ in range(3):
        guess("ann")
    for _ in range(20):
        with pytest.raises(RateLimitedError):
            guess("ann")
    assert guess("bob") == 2


def test_guesses_under_way_are_counted(store: Store) -> None:
    with (
        limits.counted_password_attempt(username="ann", address=HERE),
        limits.counted_password_attempt(username="ann", address=HERE),
        limits.counted_password_attempt(username="ann", address=HERE),
        pytest.raises(RateLimitedError),
    ):
        guess("ann")
    assert guess("ann") == 2


def test_the_quota_is_whole_again_in_the_next_window(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        guess("ann")
    later = timezone.now() + timedelta(seconds=AGE)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert guess("ann") == 2


def test_registrations_are_counted_whatever_comes_of_them(store: Store) -> None:
    for _ in range(2):
        limits.count_registration(address=HERE)
    with pytest.raises(RateLimitedError) as limit_reached:
        limits.count_registration(address=HERE)
    assert limit_reached.value.limit_status.limit == "registrations"
    limits.count_registration(address=ELSEWHERE)


def test_bad_tokens_are_counted_by_address(store: Store) -> None:
    for _ in range(2):
        limits.count_bad_token(address=HERE)
    with pytest.raises(RateLimitedError):
        limits.count_bad_token(address=HERE)
    limits.count_bad_token(address=ELSEWHERE)


def test_reads_and_writes_are_counted_apart_and_by_person(
    store: Store, settings: Settings
) -> None:
    settings.PARLEY_LIMIT_READS = Rate(3, AGE)
    settings.PARLEY_LIMIT_WRITES = Rate(1, AGE)
    ann, bob = UserId(1), UserId(2)
    limits.count_request(user_id=ann, writes=True)
    with pytest.raises(RateLimitedError):
        limits.count_request(user_id=ann, writes=True)
    (limit_status,) = limits.count_request(user_id=ann, writes=False)
    assert (limit_status.limit, limit_status.remaining) == ("reads", 2)
    limits.count_request(user_id=bob, writes=True)


def test_parallel_requests_get_exactly_the_quota(settings: Settings) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_WRITES = Rate(10, AGE)

    def write(number: int) -> str:
        # Each thread has a handle of its own to the memory of this name.
        caches["limits"] = LocMemCache("threads", {})
        try:
            limits.count_request(user_id=UserId(1), writes=True)
        except RateLimitedError:
            return "refused"
        return "passed"

    with ThreadPoolExecutor(20) as threads:
        outcomes = Counter(threads.map(write, range(200)))
    assert outcomes == {"passed": 10, "refused": 190}


def test_counters_hold_no_name_and_no_address(settings: Settings, store: Store) -> None:
    settings.PARLEY_SHARED_LIMITS = "database"
    guess("ann")
    limits.count_registration(address=HERE)
    keys = list(LimitCounter.objects.values_list("key", flat=True))
    assert len(keys) == 5
    assert all(len(key) == 64 and int(key, 16) for key in keys)


def test_windows_that_are_over_are_cleared_away(settings: Settings, db: None) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_SHARED_LIMITS = "database"
    now = timezone.now()
    LimitCounter.objects.create(key="over", used=9, expires_at=now)
    LimitCounter.objects.create(
        key="running", used=9, expires_at=now + timedelta(hours=1)
    )
    limits.count_registration(address=HERE)
    left = set(LimitCounter.objects.values_list("key", flat=True))
    assert len(left) == 2
    assert left > {"running"}


@pytest.mark.usefixtures("no_counters")
def test_without_its_store_nothing_is_guessed_and_messages_go_through(
    settings: Settings,
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_SHARED_LIMITS = "cache"
    with pytest.raises(LimitsUnavailableError):
        guess("ann")
    with pytest.raises(LimitsUnavailableError):
        limits.count_registration(address=HERE)
    limits.count_bad_token(address=HERE)
    assert limits.count_request(user_id=UserId(1), writes=True) == ()


def test_limits_can_be_turned_off(settings: Settings) -> None:
    settings.PARLEY_RATE_LIMITS = False
    settings.PARLEY_LIMIT_REGISTRATIONS = Rate(1, AGE)
    for _ in range(3):
        assert limits.count_registration(address=HERE) == ()
        with limits.counted_password_attempt(username="ann", address=HERE) as counted:
            assert counted.if_wrong == counted.if_right == ()
        assert limits.count_request(user_id=UserId(1), writes=False) == ()


def test_a_quota_used_up_concurrently_by_another_process_is_not_exceeded(
    settings: Settings, db: None, run_before_query: RunBeforeQuery
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_SHARED_LIMITS = "database"
    settings.PARLEY_LIMIT_REGISTRATIONS = Rate(2, AGE)
    limits.count_registration(address=HERE)
    with (
        run_before_query(
            lambda: LimitCounter.objects.update(used=2),
            before="INSERT INTO messaging_limitcounter",
        ),
        pytest.raises(RateLimitedError),
    ):
        limits.count_registration(address=HERE)
    assert LimitCounter.objects.get().used == 2


def test_a_right_password_does_not_fail_for_its_counter(
    settings: Settings, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_SHARED_LIMITS = "database"

    def stop(
        execute: Execute,
        statement: str,
        parameters: object,
        many: bool,
        context: dict[str, object],
    ) -> object:
        if statement.startswith("UPDATE messaging_limitcounter"):
            raise OperationalError("The database went away.")
        return execute(statement, parameters, many, context)

    with (
        connection.execute_wrapper(stop),
        limits.counted_password_attempt(username="ann", address=HERE),
    ):
        pass
    assert "could not be lowered" in caplog.text
    assert set(LimitCounter.objects.values_list("used", flat=True)) == {1}
