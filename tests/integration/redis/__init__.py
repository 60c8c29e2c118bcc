"""What only a real Redis shows."""
