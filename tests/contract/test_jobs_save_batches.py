"""The contract of ``jobmill.testing.contracts.jobs_save_batches``, over every adapter."""

from jobmill.testing.contracts.jobs_save_batches import *
