"""How quick the pages are that people wait for, beside those of another checkout.

    python -m bench.pages --against ../before

fills a database for each checkout, serves both as scripts/serve does, and asks each of
them in turn, as a browser does: signed in, with gzip, over connections that stay open.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from bench import servers
from bench.dataset import LONG, Filled
from bench.load import drive, one, tool
from bench.operations import Operation
from bench.report import Measured, machine
from bench.servers import Database, Server

_ROOT: Final = Path(__file__).resolve().parent.parent
_CONVERSATION: Final = f"/conversations/{LONG}"
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Page:
    """A request of a browser, and how many times as many of them there should be."""

    operation: Operation
    target: float | None = None
    # Asked for by a script of a page, which htmx says in a header.
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    before: Path
    messages: int
    connections: int
    seconds: float
    repeats: int
    only: str
    database_url: str
    markdown: Path | None


@dataclass(frozen=True, slots=True)
class Compared:
    """All runs of a page against both servers, in the order in which they were made."""

    page: Page
    before: Measured
    after: Measured

    @property
    def ratio(self) -> float:
        """The median of the ratios of runs that followed one another."""
        pairs = zip(self.before.loads, self.after.loads, strict=True)
        return median(after.per_second / before.per_second for before, after in pairs)

    @property
    def cpu_ratio(self) -> float:
        return self.before.cpu_each / self.after.cpu_each

    @property
    def reached(self) -> bool:
        return self.page.target is None or self.ratio >= self.page.target


def main() -> None:
    plan = _plan()
    compared = _compared(plan)
    report = f"{_method(plan)}\n\n{_table(compared)}\n"
    print(report)
    if plan.markdown is not None:
        plan.markdown.write_text(report)
    if missed := [each.page.operation.name for each in compared if not each.reached]:
        print(f"missed: {', '.join(missed)}")
    if any(each.before.failed or each.after.failed for each in compared):
        sys.exit("scripts/bench-pages: requests failed")


def pages(filled: Filled) -> tuple[Page, ...]:
    said = "content=Message+{n}+" + "words+" * 30 + "&form=bench-{n}"
    rows = f"{_CONVERSATION}/messages"
    # The newest page has the last fifty.
    places = (1, filled.messages - 100, 1)
    thread = f"/messages/{filled.small_root}/thread"
    return (
        Page(Operation("conversation", "GET", _CONVERSATION), target=3),
        Page(Operation("list of conversations", "GET", "/conversations"), target=4),
        Page(
            Operation(
                "older messages, others each time",
                "GET",
                f"{rows}?after={{n}}",
                numbers=places,
            ),
            target=2,
            in_place=True,
        ),
        Page(
            Operation("older messages, the same", "GET", f"{rows}?after=1"),
            target=2,
            in_place=True,
        ),
        Page(Operation("thread of 200", "GET", thread), target=3),
        Page(
            Operation("send from the page", "POST", f"{_CONVERSATION}/send", said),
            target=1.5,
            in_place=True,
        ),
    )


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="scripts/bench-pages", description=__doc__)
    parser.add_argument("--against", dest="before", type=Path, required=True)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--database-url", default="")
    parser.add_argument("--markdown", type=Path)
    given = vars(parser.parse_args())
    return Plan(**{**given, "before": given["before"].resolve()})


def _compared(plan: Plan) -> list[Compared]:
    with ExitStack() as stack:
        before, filled = stack.enter_context(_serving(plan, "before", plan.before))
        after, _ = stack.enter_context(_serving(plan, "after", _ROOT))
        wanted = [page for page in pages(filled) if plan.only in page.operation.name]
        compared = [
            Compared(
                page,
                Measured(page.operation, before.name, plan.connections),
                Measured(page.operation, after.name, plan.connections),
            )
            for page in wanted
        ]
        for turn in range(plan.repeats):
            for each in compared:
                print(
                    f"{turn + 1}/{plan.repeats} {each.page.operation.name}",
                    file=sys.stderr,
                )
                _measure(plan, each.page, before, each.before)
                _measure(plan, each.page, after, each.after)
    return compared


@contextmanager
def _serving(plan: Plan, name: str, root: Path) -> Iterator[tuple[Server, Filled]]:
    """A server of a checkout, whose headers are those of a browser that is signed in."""
    with (
        TemporaryDirectory(prefix=f"parley-bench-{name}-") as folder,
        servers.filled_database(
            Path(folder), plan.messages, plan.database_url, root
        ) as database,
    ):
        headers = _browser(database)
        with servers.ours(database, redis_url="") as server:
            yield replace(server, name=name, headers=headers), database.filled


def _browser(database: Database) -> dict[str, str]:
    file = Path(__file__).with_name("sign_in.py")
    # Without the folder of the file, whose modules would hide those of the checkout.
    arguments = ["-P", str(file)]
    printed = servers.run_python(
        arguments,
        database.url,
        database.folder,
        database.root,
        PARLEY_LOG_LEVEL="ERROR",
    )
    cookies: dict[str, str] = json.loads(printed)
    return {
        "Accept-Encoding": "gzip",
        "Content-Type": _FORM,
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies["csrftoken"],
    }


def _measure(plan: Plan, page: Page, server: Server, measured: Measured) -> None:
    headers = dict(server.headers)
    if page.in_place:
        headers |= {"HX-Request": "true", "HX-Current-URL": server.base + _CONVERSATION}
    # Also warms up: statements, templates, the page in the cache.
    one(server.base, page.operation, headers)
    started, cpu = perf_counter(), server.cpu_seconds()
    load = drive(
        server.base,
        page.operation,
        headers,
        connections=plan.connections,
        seconds=plan.seconds,
    )
    measured.loads.append(load)
    measured.cpu.append((server.cpu_seconds() - cpu) / (perf_counter() - started))
    measured.memory.append(server.megabytes())


def _method(plan: Plan) -> str:
    database = "PostgreSQL" if plan.database_url else "SQLite (WAL, FULL)"
    return (
        f"{machine()}; {database}; {plan.messages:,} messages in the conversation;"
        f" {servers.WORKERS} processes; {tool()} over 127.0.0.1 with keep-alive and"
        f" gzip, {plan.connections} connections, {plan.seconds:g} s a run, medians of"
        f" {plan.repeats}, the servers in turn. *Times as many* compares requests per"
        " second, *by CPU* the processor time of a request, which what else runs on the"
        " machine disturbs less."
    )


_HEAD: Final = (
    "| page | before req/s | after req/s | times as many | target | before p50 ms"
    " | after p50 ms | before CPU ms | after CPU ms | by CPU |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def _table(compared: Sequence[Compared]) -> str:
    return "\n".join([_HEAD, *(_row(each) for each in compared)])


def _row(compared: Compared) -> str:
    before, after, target = compared.before, compared.after, compared.page.target
    cells = [
        compared.page.operation.name,
        _per_second(before),
        _per_second(after),
        f"{compared.ratio:.2f}",
        "" if target is None else f"≥ {target:g}",
        f"{median(load.p50 for load in before.loads):.1f}",
        f"{median(load.p50 for load in after.loads):.1f}",
        f"{before.cpu_each:.2f}",
        f"{after.cpu_each:.2f}",
        f"{compared.cpu_ratio:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _per_second(measured: Measured) -> str:
    failed = f" ({measured.failed} failed)" if measured.failed else ""
    return f"{measured.per_second:,.0f}{failed}"


if __name__ == "__main__":
    main()
