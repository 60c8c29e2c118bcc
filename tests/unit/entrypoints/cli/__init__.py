"""The command line, run in this process on a SQLite file of its own."""
