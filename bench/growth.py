"""The time of each operation in databases of different sizes, as a table and a plot.

    .venv-bench/bin/python -m bench.growth --sizes 10000,1000000 --plot docs/growth-sqlite.svg

One request at a time; each value is the median of the requests of `--seconds`.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import servers
from bench.load import drive, one
from bench.operations import operations

# By operation and database size: the median in milliseconds.
Curves = dict[str, dict[int, float]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.growth", description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    curves = _measured(sizes, given.seconds, given.database_url)
    print(_table(curves, sizes))
    if given.plot is not None:
        from bench.plot import plot

        plot(curves, given.plot, "PostgreSQL" if given.database_url else "SQLite")


def _measured(sizes: Sequence[int], seconds: float, database_url: str) -> Curves:
    curves: Curves = {}
    for size in sizes:
        print(f"{size:,} messages", file=sys.stderr)
        for name, milliseconds in _at(size, seconds, database_url).items():
            curves.setdefault(name, {})[size] = milliseconds
    return curves


def _at(size: int, seconds: float, database_url: str) -> dict[str, float]:
    found = {}
    with (
        TemporaryDirectory(prefix="parley-bench-") as folder,
        servers.filled_database(Path(folder), size, database_url) as database,
        servers.ours(database, redis_url="") as server,
    ):
        for operation in operations(database.filled):
            _, etag = one(server.base, operation, server.headers)
            headers = dict(server.headers)
            if operation.conditional:
                headers["If-None-Match"] = etag
            load = drive(
                server.base, operation, headers, connections=1, seconds=seconds
            )
            if load.failed:
                sys.exit(f"bench.growth: {operation.name}: {load.failed} failed")
            found[operation.name] = load.p50
    return found


def _table(curves: Mapping[str, Mapping[int, float]], sizes: Sequence[int]) -> str:
    header = " | ".join(f"{size:,}" for size in sizes)
    lines = [f"| p50 ms at … messages | {header} |", "|---" + "|--:" * len(sizes) + "|"]
    for name, curve in curves.items():
        cells = " | ".join(f"{curve[size]:.2f}" for size in sizes)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
