"""The contract of ``jobmill.testing.contracts.jobs_save_columns``, over every adapter."""

from jobmill.testing.contracts.jobs_save_columns import *
