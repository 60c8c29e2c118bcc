"""The contenders, as the run sees them: how each is made ready, filled, started, checked and removed."""
