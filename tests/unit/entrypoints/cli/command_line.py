"""The console script as a module, for tests that need a process of their own."""

from jobmill.entrypoints.cli.main import main

if __name__ == "__main__":
    main()
