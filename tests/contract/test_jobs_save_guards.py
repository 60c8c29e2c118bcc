"""The contract of ``jobmill.testing.contracts.jobs_save_guards``, over every adapter."""

from jobmill.testing.contracts.jobs_save_guards import *
