"""Measures Parley beside other servers, in one run: see scripts/bench --help."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench import servers
from bench.load import drive, one, tool
from bench.operations import Operation, operations
from bench.report import Measured, machine, missed, tables
from bench.servers import Server


@dataclass(frozen=True, slots=True)
class Plan:
    messages: int
    connections: Sequence[int]
    seconds: float
    repeats: int
    only: str
    database_url: str
    redis_url: str
    markdown: Path | None
    before: Path | None


def main() -> None:
    plan = _plan()
    with TemporaryDirectory(prefix="parley-bench-") as folder:
        measured = _measured(plan, Path(folder))
    report = f"{_method(plan)}\n\n{tables(measured)}\n"
    print(report)
    if plan.markdown is not None:
        plan.markdown.write_text(report)
    for miss in missed(measured):
        print(
            f"missed: {miss.operation}: {miss.ratio:.2f} of {miss.peer}, not {miss.target:g}"
        )
    if failed := [one for one in measured if one.failed]:
        names = {f"{one.operation.name} ({one.server})" for one in failed}
        sys.exit(f"scripts/bench: requests failed: {', '.join(sorted(names))}")


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a second of each, once: does it run?"
    )
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--connections", default="1,8,32", help="default 1,8,32")
    parser.add_argument(
        "--seconds", type=float, default=4, help="of each run, default 4"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="default 3; medians count"
    )
    parser.add_argument(
        "--only", default="", help="operations whose name has this in it"
    )
    parser.add_argument(
        "--database-url", default="", help="postgres://…, where databases may be made"
    )
    parser.add_argument("--redis-url", default="", help="redis://…, for our cache")
    parser.add_argument("--markdown", type=Path, help="also write the report here")
    parser.add_argument(
        "--against",
        dest="before",
        type=Path,
        help="compare with this checkout, and with nothing else",
    )
    given = parser.parse_args()
    return Plan(
        messages=given.messages,
        connections=(
            [8]
            if given.quick
            else [int(membership) for membership in given.connections.split(",")]
        ),
        seconds=1 if given.quick else given.seconds,
        repeats=1 if given.quick else given.repeats,
        only=given.only,
        database_url=given.database_url,
        redis_url=given.redis_url,
        markdown=given.markdown,
        before=given.before and given.before.resolve(),
    )


def _measured(plan: Plan, folder: Path) -> list[Measured]:
    with (
        ExitStack() as stack,
        servers.filled_database(folder, plan.messages, plan.database_url) as database,
    ):
        wanted = [
            operation
            for operation in operations(database.filled)
            if plan.only in operation.name
        ]
        if plan.before is not None:
            before = stack.enter_context(_before(plan, plan.before))
            ours = stack.enter_context(servers.ours(database, plan.redis_url))
            return _in_turn(plan, wanted, [before, ours])
        # Make the copies before Parley's own server starts: PostgreSQL cannot copy a
        # database that is in use.
        others = [
            stack.enter_context(servers.raw(database)),
            stack.enter_context(servers.drf(database)),
        ]
        ours = stack.enter_context(servers.ours(database, plan.redis_url))
        bare = stack.enter_context(servers.bare(database, _answers(ours, wanted)))
        return _in_turn(plan, wanted, [bare, *others, ours])


@contextmanager
def _before(plan: Plan, root: Path) -> Iterator[Server]:
    """Serve a database that the other checkout filled: tables may differ, ids do not."""
    with (
        TemporaryDirectory(prefix="parley-bench-before-") as folder,
        servers.filled_database(
            Path(folder), plan.messages, plan.database_url, root
        ) as database,
        servers.ours(database, plan.redis_url) as server,
    ):
        yield replace(server, name="before")


def _answers(ours: Server, wanted: Sequence[Operation]) -> dict[str, str]:
    answers = {"PATCH": ""}
    for operation in wanted:
        body, _ = one(ours.base, operation, ours.headers)
        place = f"{operation.method} {operation.path.partition('?')[0]}"
        answers["PATCH" if operation.method == "PATCH" else place] = body.decode()
    return answers


def _in_turn(
    plan: Plan, wanted: Sequence[Operation], running: Sequence[Server]
) -> list[Measured]:
    """Measure each operation on each server, one server after the other; repeat all of it.

    The servers take turns, so that whatever else the machine does slows all of them
    alike.
    """
    found = {
        (connections, operation, server.name): Measured(
            operation, server.name, connections
        )
        for connections in plan.connections
        for operation in wanted
        for server in running
    }
    for turn in range(plan.repeats):
        for connections in plan.connections:
            for operation in wanted:
                print(
                    f"{turn + 1}/{plan.repeats} {connections:>2} × {operation.name}",
                    file=sys.stderr,
                )
                for server in running:
                    measured = found[connections, operation, server.name]
                    _measure(measured, server, plan.seconds)
    return list(found.values())


def _measure(measured: Measured, server: Server, seconds: float) -> None:
    # This request also warms the server up: connections, prepared statements, the
    # cached page.
    _, etag = one(server.base, measured.operation, server.headers)
    headers = dict(server.headers)
    if measured.operation.conditional:
        headers["If-None-Match"] = etag
    started, cpu = perf_counter(), server.cpu_seconds()
    load = drive(
        server.base,
        measured.operation,
        headers,
        connections=measured.connections,
        seconds=seconds,
    )
    measured.loads.append(load)
    measured.cpu.append((server.cpu_seconds() - cpu) / (perf_counter() - started))
    measured.memory.append(server.megabytes())


def _method(plan: Plan) -> str:
    database = "PostgreSQL" if plan.database_url else "SQLite (WAL, FULL)"
    cache = ", Redis" if plan.redis_url else ""
    return (
        f"{machine()}; {database}{cache}; {plan.messages:,} messages in the conversation;"
        f" {servers.WORKERS} processes × {servers.THREADS} threads each; {tool()} over"
        f" 127.0.0.1 with keep-alive, {plan.seconds:g} s a run, medians of {plan.repeats},"
        " the servers in turn."
    )


if __name__ == "__main__":
    main()
