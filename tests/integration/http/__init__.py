"""The HTTP application as a real server serves it."""
