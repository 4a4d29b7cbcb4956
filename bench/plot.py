"""Plots the results of bench.growth as an SVG file."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt


def plot(curves: Mapping[str, Mapping[int, float]], file: Path, title: str) -> None:
    # A fixed salt: the same numbers give the same file, byte by byte.
    mpl.rcParams["svg.hashsalt"] = "parley"
    figure, axes = plt.subplots(figsize=(9, 5.5))
    for name, curve in curves.items():
        axes.plot(list(curve), list(curve.values()), marker="o", label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("messages in the conversation, each with a notification")
    axes.set_ylabel("median, milliseconds, one request at a time")
    axes.set_title(f"Growth on {title}")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
