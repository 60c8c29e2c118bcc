"""How the examples are tested: each in a copy of its own, started by the commands that its README names."""
