"""The report of scripts/bench: Markdown tables."""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from bench.load import Load
from bench.operations import Operation

# A change may cost this much at most; less than that, runs of one build differ.
_TARGET_BEFORE: Final = 0.97


@dataclass(slots=True)
class Measured:
    """All runs of an operation against one server, with a number of connections."""

    operation: Operation
    server: str
    connections: int
    loads: list[Load] = field(default_factory=list)
    # For each run: processor seconds per second of the run, and megabytes of memory.
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return median(load.per_second for load in self.loads)

    @property
    def cpu_each(self) -> float:
        """Processor milliseconds per request: other load on the machine does not change
        it.
        """
        return median(
            cpu / load.per_second * 1000
            for cpu, load in zip(self.cpu, self.loads, strict=True)
        )

    @property
    def failed(self) -> int:
        return sum(load.failed for load in self.loads)


@dataclass(frozen=True, slots=True)
class Missed:
    operation: str
    peer: str
    target: float
    ratio: float


def tables(measured: Sequence[Measured]) -> str:
    levels = sorted({one.connections for one in measured})
    return "\n\n".join(
        _table([one for one in measured if one.connections == level], level)
        for level in levels
    )


def missed(measured: Iterable[Measured]) -> list[Missed]:
    """The targets that Parley missed, at 8 connections."""
    found = [one for one in measured if one.connections == 8]
    return [
        Missed(one.operation.name, peer, target, ratio)
        for one in found
        if one.server == "ours"
        for peer, target in _targets(one.operation).items()
        if (ratio := _ratio(found, one, peer)) is not None
        if ratio < target
    ]


def _targets(operation: Operation) -> dict[str, float]:
    """The least ratio of Parley's requests per second to each other server's."""
    targets = {
        "DRF": operation.target_drf,
        "raw": operation.target_raw,
        "before": _TARGET_BEFORE,
    }
    return {peer: target for peer, target in targets.items() if target is not None}


def machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    cores = Path("/proc/cpuinfo").read_text().count("processor\t:")
    return f"{cores} × {cpu}, Linux {platform.release()}, Python {platform.python_version()}"


def _table(measured: Sequence[Measured], connections: int) -> str:
    lines = [
        f"### {connections} connection{'s' if connections > 1 else ''}",
        "",
        "| operation | server | req/s | p50 ms | p99 ms | CPU | CPU ms each | MB | ours ÷ it | by CPU | target |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [_row(measured, one) for one in measured]
    return "\n".join(lines)


def _row(measured: Sequence[Measured], one: Measured) -> str:
    ours = next(
        other
        for other in measured
        if other.server == "ours" and other.operation == one.operation
    )
    ratio = _ratio(measured, ours, one.server) if one is not ours else None
    target = _targets(one.operation).get(one.server)
    cells = [
        one.operation.name,
        f"**{one.server}**" if one is ours else one.server,
        f"{one.per_second:,.0f}" + (f" ({one.failed} failed)" if one.failed else ""),
        f"{median(load.p50 for load in one.loads):.1f}",
        f"{median(load.p99 for load in one.loads):.1f}",
        f"{median(one.cpu):.0%}",
        f"{one.cpu_each:.2f}",
        f"{median(one.memory):.0f}",
        "" if ratio is None else f"{ratio:.2f}",
        "" if ratio is None else f"{one.cpu_each / ours.cpu_each:.2f}",
        "" if target is None else f"≥ {target:g}",
    ]
    return f"| {' | '.join(cells)} |"


def _ratio(measured: Iterable[Measured], ours: Measured, peer: str) -> float | None:
    for other in measured:
        if other.server == peer and other.operation == ours.operation:
            return ours.per_second / other.per_second if other.per_second else None
    return None
