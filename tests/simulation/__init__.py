"""The real services against a seeded adversary, in virtual time: one number is one run.

`scenario` draws what happens, `run` plays it, `witness` and `oracle` judge, `shrink` cuts a failing one down.
"""
