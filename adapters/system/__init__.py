"""What the machine itself offers: its clock, its chance, its log, and the end of the process."""

from jobmill.adapters.system.clock import SystemClock, stopwatch
from jobmill.adapters.system.crash import SystemCrash
from jobmill.adapters.system.entropy import SystemEntropy
from jobmill.adapters.system.fact_log import FactLog

__all__ = ["FactLog", "SystemClock", "SystemCrash", "SystemEntropy", "stopwatch"]
