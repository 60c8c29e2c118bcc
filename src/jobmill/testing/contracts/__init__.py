"""What the adapters of each port have to do, as tests: for ours, and for those that others write.

A test module takes a suite over with ``from jobmill.testing.contracts.leases import *``; what its tests ask
for is in ``fixtures``.
"""
