"""The contract of ``jobmill.testing.contracts.outbox``, over every adapter."""

from jobmill.testing.contracts.outbox import *
