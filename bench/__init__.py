"""Benchmarks: Parley's speed, measured beside other servers on the same machine.

Begin with `scripts/bench --help`.
"""
