"""``python -m benchmarks.peers.install MODULE``: make the tables of one peer."""

import asyncio
import importlib
import sys


def main(module: str) -> None:
    asyncio.run(importlib.import_module(module).install())


if __name__ == "__main__":
    main(sys.argv[1])
