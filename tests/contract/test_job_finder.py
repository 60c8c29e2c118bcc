"""The contract of ``jobmill.testing.contracts.job_finder``, over every adapter."""

from jobmill.testing.contracts.job_finder import *
