"""The statistical court: long runs whose verdicts are told in standard errors, started by ``make verify``."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder, so that no file there can slip into the everyday run."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.verification)
