"""The contract of ``jobmill.testing.contracts.provider_states``, over every adapter."""

from jobmill.testing.contracts.provider_states import *
