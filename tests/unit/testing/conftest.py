"""The bank that the shop's handlers talk to."""

from collections.abc import Iterator

import pytest

from tests.unit.testing import shop


@pytest.fixture
def bank() -> Iterator[shop.FakeBank]:
    """An open bank."""
    shop.here["bank"] = made = shop.FakeBank()
    yield made
    del shop.here["bank"]
