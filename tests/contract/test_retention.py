"""The contract of ``jobmill.testing.contracts.retention``, over every adapter."""

from jobmill.testing.contracts.retention import *
