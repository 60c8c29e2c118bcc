"""The contract of ``jobmill.testing.contracts.fair_lanes``, over every adapter."""

from jobmill.testing.contracts.fair_lanes import *
