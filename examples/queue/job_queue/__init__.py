"""A generic job queue in its smallest form."""
