"""The contract of ``jobmill.testing.contracts.dead_copies``, over every adapter."""

from jobmill.testing.contracts.dead_copies import *
