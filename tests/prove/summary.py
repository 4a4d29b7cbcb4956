"""A table of what `scripts/prove` has left in a folder; exits with 1 on a failure.

Arguments: the folder, and the names of the runs that must have left something there.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

from typing_extensions import override

_FAULTS = ("failure", "error")


@dataclass(frozen=True, slots=True)
class Row:
    outcome: str
    seconds: int
    what: str
    figures: str = ""

    @override
    def __str__(self) -> str:
        return f"{self.outcome:8}{self.seconds:6} s  {self.what}  {self.figures}"


def main(folder: Path, expected: Sequence[str]) -> int:
    outcomes = list(_outcomes(folder / "outcomes"))
    tests = [row for path in sorted(folder.glob("*.xml")) for row in _tests(path)]
    for row in [*_of_one_name(tests), *outcomes]:
        sys.stdout.write(f"{row}\n")
    reports = ("soak", "refusals", "abuse")
    for path in sorted(one for name in reports for one in folder.glob(f"{name}-*.log")):
        sys.stdout.write(f"\n== {path.stem} ==\n{path.read_text()}")
    ended = {row.what: row.outcome for row in outcomes}
    missing = [name for name in expected if name not in ended]
    for name in missing:
        sys.stdout.write(f"{name} left no result\n")
    return 1 if missing or set(ended.values()) != {"passed"} else 0


def _tests(path: Path) -> Iterator[Row]:
    """Of one run, in the order they ran."""
    for case in ET.parse(path).iter("testcase"):  # noqa: S314  # our own
        failed = any(case.find(fault) is not None for fault in _FAULTS)
        outcome = "skipped" if case.find("skipped") is not None else "passed"
        yield Row(
            outcome="FAILED" if failed else outcome,
            seconds=round(float(case.get("time", "0"))),
            what=f"{path.stem}: {case.get('name')}",
            figures=", ".join(
                f"{noted.get('name')}: {noted.get('value')}"
                for noted in case.iter("property")
            ),
        )


def _of_one_name(tests: Iterable[Row]) -> Iterator[Row]:
    """One row for what is alike but for its time: each operation's test has one name."""
    alike: dict[Row, list[int]] = {}
    for row in tests:
        alike.setdefault(replace(row, seconds=0), []).append(row.seconds)
    for row, seconds in alike.items():
        figures = row.figures if len(seconds) == 1 else f"{len(seconds)} of them"
        yield replace(row, seconds=sum(seconds), figures=figures)


def _outcomes(path: Path) -> Iterator[Row]:
    for line in path.read_text().splitlines():
        outcome, seconds, name = line.split()
        yield Row(outcome, int(seconds), name)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
