"""The contract of ``jobmill.testing.contracts.jobs_texts``, over every adapter."""

from jobmill.testing.contracts.jobs_texts import *
