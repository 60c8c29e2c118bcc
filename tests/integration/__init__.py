"""Tests of the parts against the real thing: servers, processes, installed packages."""
