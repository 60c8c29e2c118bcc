"""The least that a durable job system has to do here: the same messages and rows, and nothing around them."""
