"""The contract of ``jobmill.testing.contracts.quarantine``, over every adapter."""

from jobmill.testing.contracts.quarantine import *
