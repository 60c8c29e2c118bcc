"""The contract of ``jobmill.testing.contracts.ingress``, over every adapter."""

from jobmill.testing.contracts.ingress import *
