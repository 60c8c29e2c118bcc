"""What all measurements of a run share."""

import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import field, frozen

from benchmarks import effects, work
from benchmarks.addresses import Addresses
from benchmarks.children import ROOT
from benchmarks.effects import Effects
from benchmarks.peers import place
from benchmarks.servers import Servers

FOLDER: Final = ROOT / "build" / "bench"
#: Interpreters: of the project, and of the peers.
OWN_PYTHON: Final = Path(sys.executable)
PEERS_BIN: Final = ROOT / "benchmarks" / ".venv" / "bin"
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - memory of our own name, not a place for secrets


@frozen(kw_only=True)
class Bench:
    """Servers, folders, and the memory that runs leave their effects in.

    Args:
        peers_bin: where the peers' commands are installed.
    """

    addresses: Addresses
    servers: Servers
    folder: Path = FOLDER
    peers_bin: Path = PEERS_BIN
    memory: Path = field()

    @memory.default
    def _memory_of_this_run(self) -> Path:
        return (_MEMORY if _MEMORY.is_dir() else self.folder) / f"{self.addresses.prefix}.effects"

    @classmethod
    def here(cls, *, peers_bin: Path = PEERS_BIN) -> "Bench":
        """Find everything on this machine."""
        addresses = Addresses.from_env()
        FOLDER.mkdir(parents=True, exist_ok=True)
        return cls(addresses=addresses, servers=Servers.find(addresses), peers_bin=peers_bin)

    def environment(self, contender: str, options: Mapping[str, object]) -> dict[str, str]:
        """Return what a contender's programs are told."""
        return {
            place.AMQP: self.addresses.amqp_url,
            place.POSTGRES: self.addresses.database_url(contender),
            place.PREFIX: self.addresses.prefix,
            place.OPTIONS: place.as_text(options),
        }

    def noting(self, *, sleep_s: float = 0.0) -> dict[str, str]:
        """Return what those are told that note effects: where, and how long a job takes."""
        return {effects.VARIABLE: str(self.memory), work.SLEEP: str(sleep_s)}

    def fresh_effects(self, jobs: int) -> Effects:
        """Return effects of which none has happened yet."""
        self.memory.unlink(missing_ok=True)
        return Effects.make(self.memory, jobs)

    def log(self, *words: str) -> Path:
        """Return the file for what a process says."""
        return self.folder / "logs" / f"{'-'.join(words)}.log".replace("/", "_").replace(" ", "_")

    def clean_up(self) -> None:
        self.memory.unlink(missing_ok=True)


def free_port() -> int:
    """Return a TCP port of this machine on which nobody listens at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
