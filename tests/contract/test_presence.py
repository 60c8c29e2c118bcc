"""The contract of ``jobmill.testing.contracts.presence``, over the adapters that have such locks."""

import pytest

from jobmill.testing.contracts.presence import *

#: SQLite has none: one process at a time runs its jobs, by the lock of its file.
pytestmark = pytest.mark.parametrize(
    "store_opener", ["memory", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
