"""Outbound calls: a producer, a queue of the broker, and workers that place each call once."""
