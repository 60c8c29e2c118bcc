"""The test kit: all of Jobmill inside a test, in virtual time, with faults on request."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobmill.testing.crash_plan import CrashPoint
    from jobmill.testing.errors import CrashNotReached, MillEnded, RealTime, StillOpen
    from jobmill.testing.expectation import Expectation
    from jobmill.testing.sync_mill import SyncVirtualMill
    from jobmill.testing.virtual_loop import Stuck, VirtualTimeLoop, run_virtually, virtually
    from jobmill.testing.virtual_mill import VirtualMill

__all__ = [
    "CrashNotReached",
    "CrashPoint",
    "Expectation",
    "MillEnded",
    "RealTime",
    "StillOpen",
    "Stuck",
    "SyncVirtualMill",
    "VirtualMill",
    "VirtualTimeLoop",
    "run_virtually",
    "virtually",
]

#: Loaded when first asked for: the plugin lies beside them, and every run of pytest imports it.
_PLACES = {
    "CrashNotReached": "errors",
    "CrashPoint": "crash_plan",
    "Expectation": "expectation",
    "MillEnded": "errors",
    "RealTime": "errors",
    "StillOpen": "errors",
    "Stuck": "virtual_loop",
    "SyncVirtualMill": "sync_mill",
    "VirtualMill": "virtual_mill",
    "VirtualTimeLoop": "virtual_loop",
    "run_virtually": "virtual_loop",
    "virtually": "virtual_loop",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever bears the name
    """Load what is asked for."""
    if name not in _PLACES:
        raise AttributeError(f"jobmill.testing has no {name!r}")
    return getattr(import_module(f"jobmill.testing.{_PLACES[name]}"), name)
