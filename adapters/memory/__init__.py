"""A database and a broker inside the process: the embedded bus, and the world of the tests."""

from jobmill.adapters.memory.broker import MemoryBroker
from jobmill.adapters.memory.bus import MemoryBus
from jobmill.adapters.memory.clocks import LoopClock, ManualClock
from jobmill.adapters.memory.entropy import SeededEntropy
from jobmill.adapters.memory.ingress import MemoryIngress
from jobmill.adapters.memory.store import MemoryStore

__all__ = [
    "LoopClock",
    "ManualClock",
    "MemoryBroker",
    "MemoryBus",
    "MemoryIngress",
    "MemoryStore",
    "SeededEntropy",
]
