"""The contract of ``jobmill.testing.contracts.broker_epochs``, over every adapter."""

from jobmill.testing.contracts.broker_epochs import *
