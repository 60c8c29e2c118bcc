"""All moves there are: importing them is declaring them."""

from tests.simulation import broker_moves, failover, process_moves, requests, store_moves
from tests.simulation.registry import FAULTS, REQUESTS, play

__all__ = [
    "FAULTS",
    "REQUESTS",
    "broker_moves",
    "failover",
    "play",
    "process_moves",
    "requests",
    "store_moves",
]
