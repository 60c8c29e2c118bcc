"""The contract of ``jobmill.testing.contracts.ended_jobs``, over every adapter."""

from jobmill.testing.contracts.ended_jobs import *
