"""Rates, such as ten times in 15 minutes, and how much of a quota is left."""

import re
from dataclasses import dataclass, replace
from typing import Final

_WRITTEN: Final = re.compile(r"([1-9]\d{0,8})/([1-9]\d{0,3})?([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


@dataclass(frozen=True, slots=True)
class Rate:
    """`quota` times in every `seconds`."""

    quota: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read `10/15m`: ten times in a quarter of an hour; units s, m, h and d.

        Raises:
            ValueError
        """
        written = _WRITTEN.fullmatch(text.strip())
        if written is None:
            raise ValueError(f"Not a rate such as 10/15m or 100/h: {text!r}.")
        quota, number, unit = written.groups()
        return cls(int(quota), int(number or 1) * _SECONDS[unit])


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """The remaining quota of a limit, and the seconds until it is full again."""

    limit: str
    rate: Rate
    remaining: int
    resets_in: int

    def given_back(self) -> "LimitStatus":
        """The status after one count was given back to the quota."""
        return replace(self, remaining=self.remaining + 1)
