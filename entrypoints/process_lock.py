"""One process at a time in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobmill.application.errors import SetupFault
from jobmill.entrypoints.settings import WrongSettings


class AlreadyRunning(SetupFault):
    """Another process holds the folder."""

    code = "already-running"


@contextmanager
def process_lock(path: Path) -> Iterator[None]:
    """Hold a lock file while the block lasts; the system frees it however the process ends.

    Raises:
        AlreadyRunning: names the process that holds it.
        WrongSettings: there can be no such file.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        mend = "name a file in a folder that is there"
        raise WrongSettings(f"JOBMILL_DATABASE_URL: cannot lock {path}: {error.strerror}; {mend}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            mend = "stop it, or work in another folder"
            raise AlreadyRunning(
                f"Jobmill already runs here: process {holder} holds {path}; {mend}"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def make_home(home: Path) -> None:
    """Create the folder of the embedded default, for its owner only and kept out of version control.

    Raises:
        WrongSettings: it cannot be made, or not be written to.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = home / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise WrongSettings(
            f"JOBMILL_HOME: no folder can be made at {str(home)[:200]}: {error.strerror}; choose another"
        ) from None
