"""Providers against real servers on this machine, run inside the test."""
