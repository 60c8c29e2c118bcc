"""The contract of ``jobmill.testing.contracts.lost_jobs``, over every adapter."""

from jobmill.testing.contracts.lost_jobs import *
