"""The contract of ``jobmill.testing.contracts.due_jobs``, over every adapter."""

from jobmill.testing.contracts.due_jobs import *
