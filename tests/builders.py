"""The builders of the test kit, by the name that the tests know them by."""

from jobmill.testing.builders import *
