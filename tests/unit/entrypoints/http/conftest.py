"""Every test here has an application of its own, in virtual time: waiting for a database takes no time."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.unit.entrypoints.http.api_world import ApiWorld
from tests.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Use the loop whose time jumps."""
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
def api() -> ApiWorld:
    """An application with nothing in it."""
    return ApiWorld()
