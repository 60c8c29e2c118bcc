"""The simulation runs thousands of courses; see ``uncovered``."""

import pytest


@pytest.fixture(autouse=True)
def quick(uncovered: None) -> None:
    """Play without measuring."""
