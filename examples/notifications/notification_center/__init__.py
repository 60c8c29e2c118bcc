"""Notifications through several channels, whose providers are slow, strict and sometimes away."""
