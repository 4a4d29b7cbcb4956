"""What the contract's tests share."""

from pathlib import Path

import pytest


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> None:
    """Load a plugin that is slow to import where it is used, and only there."""
    if file_path.name == "test_generated_requests.py":
        parent.config.pluginmanager.import_plugin("schemathesis.pytest.plugin")
