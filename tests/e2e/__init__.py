"""Tests that run the real processes, as a user would."""
