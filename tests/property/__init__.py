"""Laws, checked on values that nobody thought of."""
