"""Redis that hangs: it is waited for once, not by everybody."""

import os
import secrets
import socket
from collections.abc import Iterator

import pytest

import edge.redis_cache
from edge.redis_cache import CircuitBreakingRedisCache, FailSoftRedisCache


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield listener


@pytest.fixture(autouse=True)
def _long_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.redis_cache, "_PAUSE_SECONDS", 1000)
    monkeypatch.setattr(CircuitBreakingRedisCache, "_asked_again_at", 0.0)


def _connections(listener: socket.socket) -> int:
    found = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return found
        found += 1


def _cache_at(listener: socket.socket) -> FailSoftRedisCache:
    address = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    return FailSoftRedisCache(address, {"OPTIONS": {"socket_timeout": 0.1}})


def test_a_redis_that_hangs_is_waited_for_once(silent: socket.socket) -> None:
    for _ in range(3):
        assert _cache_at(silent).get("key", "default") == "default"
        _cache_at(silent).set("key", "value")
    assert _connections(silent) == 1


def test_after_a_pause_it_is_asked_again(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.redis_cache, "_PAUSE_SECONDS", 0)
    for _ in range(2):
        assert _cache_at(silent).get("key") is None
    assert _connections(silent) == 2


def test_without_redis_a_deletion_goes_on(
    silent: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    cache = _cache_at(silent)
    cache.note("page", group="pages:1", timeout=60)
    cache.forget(["pages:1", "pages:2"])
    assert "deleted pages stay cached for a minute" in caplog.text


@pytest.mark.skipif("REDIS_URL" not in os.environ, reason="needs a Redis")
def test_a_counter_ends_when_it_was_to_end() -> None:
    cache = CircuitBreakingRedisCache(os.environ["REDIS_URL"], {})
    key = secrets.token_hex()
    with pytest.raises(ValueError, match="not found"):
        cache.incr(key)
    assert cache.get(key) is None
    cache.add(key, 0, timeout=100)
    assert [cache.incr(key), cache.incr(key, 2), cache.decr(key)] == [1, 3, 2]
    assert 0 < cache._cache.get_client().ttl(cache.make_key(key)) <= 100
    cache.delete(key)
