"""The contract of ``jobmill.testing.contracts.leases``, over every adapter."""

from jobmill.testing.contracts.leases import *
