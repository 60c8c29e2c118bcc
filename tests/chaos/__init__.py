"""A public trial: real processes under load while everything around them is broken, and the ledger of it."""
