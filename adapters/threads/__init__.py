"""Threads of this process, for handlers that block."""

from jobmill.adapters.threads.pool import ThreadPool

__all__ = ["ThreadPool"]
