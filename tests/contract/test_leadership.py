"""The contract of ``jobmill.testing.contracts.leadership``, over every adapter."""

from jobmill.testing.contracts.leadership import *
