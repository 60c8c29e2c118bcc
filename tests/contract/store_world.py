"""The builder's hands on a store, by the name that the tests know it by."""

from jobmill.testing.contracts.store_world import LEASE_OVER, MANY, StoreWorld

__all__ = ["LEASE_OVER", "MANY", "StoreWorld"]
