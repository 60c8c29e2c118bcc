"""The command ``version``, which the console script also calls without any parsing, so that it is quick."""

from importlib import metadata


def version() -> None:
    """Print the version."""
    print(f"jobmill {metadata.version('jobmill')}")
