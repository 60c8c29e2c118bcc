"""Where time is real, a mill says so instead of letting a test wait."""

import subprocess
import sys

import pytest

from jobmill.testing import RealTime, VirtualMill

from tests.builders import SECOND
from tests.unit.testing.shop import Number, double


async def test_a_mill_on_a_loop_with_real_time_names_the_mend() -> None:
    mill = VirtualMill()

    with pytest.raises(RealTime, match=r"fixture `mill`.*run_virtually"):
        await mill.submit(double, Number())
    with pytest.raises(RealTime):
        await mill.advance(SECOND)
    with pytest.raises(RealTime):
        async with VirtualMill():
            pass


def test_outside_of_a_loop_it_is_the_beginning_of_time() -> None:
    assert VirtualMill().now.isoformat() == "2030-01-01T00:00:00+00:00"


def test_the_plugin_loads_no_adapter() -> None:
    script = "import sys, jobmill.testing.plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout

    heavy = (
        "jobmill.adapters",
        "jobmill.entrypoints.container",
        "jobmill.entrypoints.settings",
        "jobmill.testing.virtual_mill",
        "sqlalchemy",
        "aiohttp",
    )
    assert [name for name in loaded.split() if name.startswith(heavy)] == []
