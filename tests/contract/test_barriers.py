"""The contract of ``jobmill.testing.contracts.barriers``, over every adapter."""

from jobmill.testing.contracts.barriers import *
