"""Providers for those who have none: they take their time, fail when asked to, and carry nothing."""

from jobmill.adapters.simulated.carrier import SimulatedCarrier, read_simulation

__all__ = ["SimulatedCarrier", "read_simulation"]
