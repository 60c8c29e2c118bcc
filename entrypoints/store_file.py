"""The file of an embedded database: looking for it must not make one."""

from jobmill.application.errors import SetupFault
from jobmill.entrypoints.settings import Settings


class NothingHere(SetupFault):
    """There is no database where the embedded one would be."""

    code = "nothing-here"


def check_file(settings: Settings) -> None:
    """Raise ``NothingHere`` for a SQLite file that does not exist."""
    file = settings.sqlite_file
    if file is not None and not file.is_file():
        shown = file if file.is_absolute() else f"./{file}"
        mend = "start `jobmill up` or set JOBMILL_DATABASE_URL"
        raise NothingHere(f"no Jobmill here: looked for {shown}; {mend}")
