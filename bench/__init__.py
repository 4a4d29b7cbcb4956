"""How fast it is, measured beside others on the same machine: see scripts/bench --help."""
