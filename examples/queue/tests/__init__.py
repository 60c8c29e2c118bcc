"""The queue, embedded by its README, and on real servers with two workers."""
