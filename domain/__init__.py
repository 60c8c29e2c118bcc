"""The rules of background jobs: pure values and transitions, no clock, no chance, no input or output."""
