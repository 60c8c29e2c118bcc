"""What the services need of the world. Each docstring is the contract that every adapter is tested by."""
