"""The contract of ``jobmill.testing.contracts.message_bus``, over every adapter."""

from jobmill.testing.contracts.message_bus import *
