"""The state that writers and guests share: faults of the server, and setbacks.

Whatever happens to the server meanwhile, each of them makes a request again until
it is answered; what was not answered at once is kept as a setback.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Condition, Event

import httpx

TIMEOUT = 120
_TRIES = 500

Call = Callable[[], httpx.Response]


@dataclass(frozen=True, slots=True)
class Setback:
    """A request that was not answered, or with a 503; it was made again."""

    code: str
    undisturbed: bool
    """Whether nothing was broken or mended from its beginning to its end."""


@dataclass(slots=True)
class ServerState:
    in_order: Event = field(default_factory=Event)
    ending: Event = field(default_factory=Event)
    progress: Condition = field(default_factory=Condition)
    disturbances: int = 0
    acknowledged: int = 0
    setbacks: list[Setback] = field(default_factory=list)

    def undisturbed(self) -> int | None:
        """Equal numbers at two moments: no fault was active in between."""
        return self.disturbances if self.in_order.is_set() else None

    def count(self) -> None:
        with self.progress:
            self.acknowledged += 1
            self.progress.notify_all()

    def suffer(self, setback: Setback) -> None:
        with self.progress:
            self.setbacks.append(setback)
            self.progress.notify_all()

    def retried(self, call: Call) -> httpx.Response:
        """Repeat a call until it is answered."""
        for _ in range(_TRIES):
            undisturbed = self.undisturbed()
            try:
                answer = call()
            except httpx.TransportError as error:
                code = type(error).__name__
            else:
                if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                    return answer
                code = problem_code(answer)
            still = undisturbed is not None and undisturbed == self.undisturbed()
            self.suffer(Setback(code, still))
            assert self.in_order.wait(TIMEOUT), "it stayed out of order"
        raise AssertionError(self.setbacks[-1])

    def await_progress(self, done: Callable[[], bool]) -> None:
        with self.progress:
            assert self.progress.wait_for(done, TIMEOUT), "nothing came of it"


def problem_code(answer: httpx.Response) -> str:
    """The code of a problem response, after checking that it is a whole one."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["X-Request-ID"]
    code: str = body["code"]
    return code
