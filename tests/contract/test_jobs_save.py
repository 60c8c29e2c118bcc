"""The contract of ``jobmill.testing.contracts.jobs_save``, over every adapter."""

from jobmill.testing.contracts.jobs_save import *
