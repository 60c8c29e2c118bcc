"""Processes of this machine, for handlers that may have to be killed."""

from jobmill.adapters.processes.pool import open_processes

__all__ = ["open_processes"]
