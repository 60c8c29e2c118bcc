"""The loop of the test kit, by the name that the tests know it by."""

from jobmill.testing.virtual_loop import Stuck, VirtualTimeLoop, run_virtually, virtually

__all__ = ["Stuck", "VirtualTimeLoop", "run_virtually", "virtually"]
