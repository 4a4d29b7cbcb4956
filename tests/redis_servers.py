"""A Redis of a test's own, to be stopped or configured as those of others are."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry


@contextmanager
def redis_at(port: int, folder: Path, *options: str) -> Iterator[Redis]:
    """A client of it, once it answers; `options` come first, as a file has to."""
    process = subprocess.Popen(
        [
            *("redis-server", *options, "--bind", "127.0.0.1", "--port", str(port)),
            *("--dir", str(folder), "--save", "", "--loglevel", "warning"),
        ],
        stdout=subprocess.DEVNULL,
    )
    patient = Retry(ConstantBackoff(0.1), 600, (RedisConnectionError,))
    try:
        with Redis(port=port, retry=patient) as client:
            client.ping()
            yield client
    finally:
        process.terminate()
        process.wait(60)
