"""How a command ends: the exit codes, and the lines in which a refusal is told."""

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from attrs import frozen

from jobmill.application.codec.strict_json import MalformedJson
from jobmill.application.errors import BrokerUnavailable, StorageUnavailable, WrongAddress
from jobmill.application.handlers import HandlerFault
from jobmill.domain.errors import InvalidInput, JobmillError
from jobmill.entrypoints.loading import HandlersNotFound
from jobmill.entrypoints.settings import WrongSettings

#: Everything between the colon behind a user's name and the last ``@`` of an address.
_PASSWORD: Final = re.compile(r"(?<=://)([^\s:/@]*):\S*@")


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    REFUSED = 1  # or a server cannot be reached
    WRONG_USE = 2  # of the command line or of the settings
    NOT_SUCCEEDED = 3  # the awaited job ended otherwise
    INTERRUPTED = 130


class WrongUse(Exception):
    """The command line cannot be carried out as it stands; the message says what would be right."""


@frozen(kw_only=True)
class Ending:
    """A failed command: its exit code and what to tell the person, line by line."""

    code: Exit
    lines: Sequence[str]


def ending_of(error: Exception) -> Ending:
    """Say how the command ends that raised this; passwords in addresses are left out."""
    code, lines = _told(error)
    return Ending(code=code, lines=[_PASSWORD.sub(r"\1:…@", line) for line in lines])


def _told(error: Exception) -> tuple[Exit, Sequence[str]]:
    match error:
        case WrongUse() | WrongSettings() | WrongAddress() | HandlersNotFound() | HandlerFault():
            return Exit.WRONG_USE, str(error).splitlines()
        case InvalidInput():
            code = Exit.WRONG_USE if error.code == MalformedJson.code else Exit.REFUSED
            return code, [f"{fault.pointer or 'input'}: {fault.detail}" for fault in error.faults]
        case StorageUnavailable():
            return Exit.REFUSED, [f"{error}; is it running, and is JOBMILL_DATABASE_URL right?"]
        case BrokerUnavailable():
            return Exit.REFUSED, [f"{error}; is it running, and is JOBMILL_BROKER_URL right?"]
        case JobmillError():
            return Exit.REFUSED, str(error).splitlines() or [error.code]
        case OSError():
            return Exit.REFUSED, [str(error)]
        case _:
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            return Exit.REFUSED, [f"unexpected {what}; --debug shows where"]
