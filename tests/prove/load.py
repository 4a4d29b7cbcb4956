"""People who work at a server all at once, through several processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from tests.live.concurrent_calls import start_group
from tests.live_server import LiveServer
from tests.prove.server_state import ServerState, Setback
from tests.prove.writers_and_guests import Guest, Writer


@dataclass(slots=True)
class Load:
    """Writers at work, and guests among them."""

    server: LiveServer
    writers: list[Writer]
    guests: list[Guest]
    # One of the group who writes only what a test lets them write.
    bystander: Writer
    server_state: ServerState
    setbacks_before: int = 0

    @classmethod
    def of(cls, server: LiveServer, *, writers: int, leavers: int = 2) -> "Load":
        """So many people in two groups, spread over the server's processes.

        Beside them a guest, and so many more who end their accounts.
        """
        people = [server.register(f"writer{number}") for number in range(writers + 1)]
        server_state = ServerState()
        server_state.in_order.set()
        owner = server.client(0, people[0])
        group, annex = (start_group(owner, *people[1:]) for _ in range(2))
        *made, bystander = [
            Writer(
                person=person,
                client=server.client(number % len(server.urls), person),
                neighbour=people[(number + 1) % len(people)],
                group=group,
                annex=annex,
                server_state=server_state,
            )
            for number, person in enumerate(people)
        ]
        guests = [
            Guest(
                person=(person := server.register(f"guest{number}")),
                client=server.client(number % len(server.urls), person),
                host=made[0],
                server_state=server_state,
                visits=visits,
            )
            for number, visits in enumerate([None] + [3] * leavers)
        ]
        return cls(server, made, guests, bystander, server_state)

    @property
    def everyone(self) -> list[Writer]:
        return [*self.writers, self.bystander]

    @contextmanager
    def running(self, *, sends: int | None = None) -> Iterator[None]:
        """While the block runs, and until each has sent so many, if that is said."""
        writing = [
            Thread(target=writer.write, args=(sends,)) for writer in self.writers
        ]
        visiting = [Thread(target=guest.stay) for guest in self.guests]
        for thread in (*writing, *visiting):
            thread.start()
        try:
            yield
        except BaseException:
            self.server_state.ending.set()
            raise
        finally:
            if sends is None:
                self.server_state.ending.set()
            self.server_state.in_order.set()
            for thread in writing:
                thread.join()
            self.server_state.ending.set()
            for thread in visiting:
                thread.join()
        people: list[Writer | Guest] = [*self.writers, *self.guests]
        for person in people:
            if person.failure is not None:
                raise person.failure

    @contextmanager
    def disturbed(self) -> Iterator[None]:
        """While the block causes and ends a fault: setbacks are allowed."""
        self.server_state.in_order.clear()
        self.server_state.disturbances += 1
        self.setbacks_before = len(self.server_state.setbacks)
        try:
            yield
        finally:
            self.server_state.in_order.set()

    def await_more(self, number: int) -> None:
        """Until so many more writes are acknowledged."""
        shared = self.server_state
        enough = shared.acknowledged + number
        shared.await_progress(lambda: shared.acknowledged >= enough)

    def await_setbacks(self) -> None:
        """Until every writer has had one of the present disturbance."""
        shared = self.server_state
        enough = self.setbacks_before + len(self.writers)
        shared.await_progress(lambda: len(shared.setbacks) >= enough)

    def faults(self) -> list[Setback]:
        return [
            setback for setback in self.server_state.setbacks if setback.undisturbed
        ]
