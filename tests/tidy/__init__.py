"""The house rules that no linter holds, as plain functions from a file to its faults."""
