"""The contract of ``jobmill.testing.contracts.store``, over every adapter."""

from jobmill.testing.contracts.store import *
