"""The faults, by family. Each breaks one thing and returns when it is whole again."""
