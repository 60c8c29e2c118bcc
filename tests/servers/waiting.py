"""Waiting by looking, by the name that the server kit knows it by."""

from jobmill.testing.contracts.waiting import LOOK_EVERY_S, until

__all__ = ["LOOK_EVERY_S", "until"]
