"""The contract of ``jobmill.testing.contracts.agenda``, over every adapter."""

from jobmill.testing.contracts.agenda import *
