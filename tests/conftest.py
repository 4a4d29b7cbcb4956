"""Fixtures that every test may use."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.db import connection, connections
from django.db.models.signals import post_save, pre_save
from pytest_django import DjangoDbBlocker, Settings

from api.events.stream_slots import STREAM_SLOTS
from messaging import signals
from messaging.changes import finish_numbering
from messaging.conversation_memory import clear_memories
from messaging.models import Conversation, Message, User
from messaging.services.conversations import start_group
from messaging.services.tokens import issue_token
from tests.api_client import ApiClient
from tests.databases import own_database, remove_dead_rows
from tests.hashing import QUICK_HASHERS
from tests.interruption import heed_sigint, take_sigterm_as_interrupt
from tests.live_server import LiveServer, served_database
from tests.slow import is_left_out, is_slow, is_without_database

PASSWORD = "correct horse battery staple"

DisconnectReceivers = Callable[[], AbstractContextManager[None]]


class MakeUser(Protocol):
    def __call__(self, username: str, *, display_name: str = "") -> User: ...


class Execute(Protocol):
    def __call__(
        self,
        statement: str,
        parameters: object,
        many: bool,
        context: dict[str, object],
        /,
    ) -> object: ...


class RunBeforeQuery(Protocol):
    def __call__(
        self, action: Callable[[], object], *, before: str
    ) -> AbstractContextManager[None]: ...


class ClientOf(Protocol):
    def __call__(self, user: User) -> ApiClient: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all", action="store_true", help="run what tests/slow.py leaves out too"
    )
    parser.addoption(
        "--slow", action="store_true", help="run only what tests/slow.py leaves out"
    )
    parser.addoption(
        "--only-database",
        action="store_true",
        help="leave out what no database has a part in (tests/slow.py)",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if config.option.only_database and is_without_database(collection_path):
        return True
    return (
        not _wants_all(config) and is_left_out(collection_path, config.args)
    ) or None


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if config.option.slow:
        _deselect(config, items, lambda item: not _is_left_out(config, item))
    elif not _wants_all(config):
        _deselect(config, items, lambda item: is_slow(item, config.args))


def _deselect(
    config: pytest.Config,
    items: list[pytest.Item],
    is_unwanted: Callable[[pytest.Item], bool],
) -> None:
    unwanted = [item for item in items if is_unwanted(item)]
    config.hook.pytest_deselected(items=unwanted)
    items[:] = [item for item in items if item not in set(unwanted)]


def _is_left_out(config: pytest.Config, item: pytest.Item) -> bool:
    return is_left_out(item.path, config.args) or is_slow(item, config.args)


def _wants_all(config: pytest.Config) -> bool:
    """The long tests are few: with `-m long` all of them run."""
    return bool(
        config.option.all or config.option.slow or config.option.markexpr == "long"
    )


def pytest_configure() -> None:
    heed_sigint()
    take_sigterm_as_interrupt()
    _take_own_redis_database()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Function, nextitem: pytest.Item | None
) -> Iterator[None]:
    """Remove dead rows when the fixtures have ended: a transaction is one of them.

    A fixture could not: those of `pytest.mark.django_db` begin before any of ours, and
    end after it. After the last test there is no database.
    """
    blocker = item.funcargs.get("django_db_blocker")
    yield
    if nextitem is not None and isinstance(blocker, DjangoDbBlocker):
        with blocker.unblock():
            remove_dead_rows()


def _take_own_redis_database() -> None:
    """One for each worker of pytest-xdist."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None or not django_settings.PARLEY_REDIS_URL:
        return
    parts = urlsplit(django_settings.PARLEY_REDIS_URL)
    number = int(parts.path.strip("/") or 0) + int(worker.removeprefix("gw"))
    url = parts._replace(path=f"/{number}").geturl()
    # Before anything was asked of one; processes that tests start go by the environment.
    os.environ["REDIS_URL"] = django_settings.PARLEY_REDIS_URL = url
    for cache in django_settings.CACHES.values():
        cache["LOCATION"] = url


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """A test sits idle in its transaction while servers beside it work."""
    if connection.vendor == "postgresql":
        connection.settings_dict["OPTIONS"].pop("options")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    with django_db_blocker.unblock(), own_database():
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """What is kept under versions stays between tests, which use the versions again."""
    _clear()
    yield
    _clear()


def _clear() -> None:
    for cache in caches.all():
        cache.clear()
    clear_memories()


@pytest.fixture(autouse=True)
def _stream_slots_released() -> Iterator[None]:
    """A slot that a request did not release would be lost for the rest of the run."""
    before = STREAM_SLOTS.taken()
    yield
    assert STREAM_SLOTS.taken() == before


@pytest.fixture(autouse=True)
def _events_numbered() -> Iterator[None]:
    """Nothing numbers events any more when the tables are emptied, or the database removed."""
    yield
    finish_numbering()


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    """A test that is about a limit sets it, and turns limits on."""
    settings.PARLEY_RATE_LIMITS = False


@pytest.fixture
def plain(tmp_path: Path) -> dict[str, str]:
    """An environment without any setting but where the data is."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PARLEY_") and name not in {"DATABASE_URL", "REDIS_URL"}
    }
    return {**kept, "PARLEY_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def no_counters() -> Iterator[None]:
    """The cache that limits are counted in does not answer."""
    answering = caches["limits"]
    # Nobody listens there.
    caches["limits"] = RedisCache("redis://127.0.0.1:1/0", {})
    yield
    caches["limits"] = answering


@pytest.fixture
def unreachable_database(db: None) -> Iterator[None]:
    """A connection to an address without a database."""
    working = connections["default"]
    broken = working.copy()
    broken.settings_dict.update(NAME="/nowhere/parley", HOST="127.0.0.1", PORT=1)
    connections["default"] = broken
    try:
        yield
    finally:
        connections["default"] = working


@pytest.fixture
def make_user(db: None) -> MakeUser:
    def make(username: str, *, display_name: str = "") -> User:
        return User.objects.create_user(username, PASSWORD, display_name)

    return make


@pytest.fixture
def ann(make_user: MakeUser) -> User:
    return make_user("ann", display_name="Ann")


@pytest.fixture
def bob(make_user: MakeUser) -> User:
    return make_user("bob", display_name="Bob")


@pytest.fixture
def cleo(make_user: MakeUser) -> User:
    return make_user("cleo", display_name="Cleo")


@pytest.fixture
def client_of(db: None) -> ClientOf:
    def sign_in(user: User) -> ApiClient:
        return ApiClient(issue_token(user=user, name="test", expires_in=None).secret)

    return sign_in


@pytest.fixture
def anonymous(db: None) -> ApiClient:
    return ApiClient()


@pytest.fixture
def disconnect_receivers() -> DisconnectReceivers:
    """Disconnect the receivers of a message, so that a save writes its row alone."""

    @contextmanager
    def disconnected() -> Iterator[None]:
        pre, post = signals.on_message_pre_save, signals.on_message_post_save
        names = ("messaging.message.pre_save", "messaging.message.post_save")
        assert pre_save.disconnect(sender=Message, dispatch_uid=names[0])
        assert post_save.disconnect(sender=Message, dispatch_uid=names[1])
        try:
            yield
        finally:
            pre_save.connect(pre, sender=Message, dispatch_uid=names[0])
            post_save.connect(post, sender=Message, dispatch_uid=names[1])

    return disconnected


@pytest.fixture
def live_server_processes(tmp_path: Path) -> Iterator[Callable[[int], LiveServer]]:
    """Start real servers: as many processes as asked for, each on a port of its own.

    They share a database of their own: a file, or another database of the server.
    """
    started: list[LiveServer] = []
    with served_database(tmp_path) as environment:

        def start(processes: int) -> LiveServer:
            server = LiveServer.start(environment, processes=processes)
            started.append(server)
            return server

        try:
            yield start
        finally:
            for server in started:
                server.stop()


@pytest.fixture
def message(ann: User, bob: User) -> Message:
    """From ann to bob, the first of their conversation."""
    return Message.objects.create(sender=ann, receiver=bob, content="hello")


@pytest.fixture
def group(ann: User, bob: User, cleo: User) -> Conversation:
    """Owned by ann; bob and cleo are members."""
    return start_group(owner=ann, title="Team", usernames=["bob", "cleo"]).conversation


@pytest.fixture
def run_before_query() -> RunBeforeQuery:
    """Run an action just before a query, as another process might."""

    @contextmanager
    def interrupted(action: Callable[[], object], *, before: str) -> Iterator[None]:
        done = False

        def watch(
            execute: Execute,
            statement: str,
            parameters: object,
            many: bool,
            context: dict[str, object],
        ) -> object:
            nonlocal done
            if before in statement and not done:
                done = True
                action()
            return execute(statement, parameters, many, context)

        with connection.execute_wrapper(watch):
            yield
        assert done, f"no query with {before}"

    return interrupted
