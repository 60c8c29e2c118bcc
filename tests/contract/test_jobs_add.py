"""The contract of ``jobmill.testing.contracts.jobs_add``, over every adapter."""

from jobmill.testing.contracts.jobs_add import *
