"""Producers in other languages, on a real broker."""
