"""Payloads as they are given on the command line."""

import sys
from pathlib import Path
from typing import Final

from jobmill.application.codec.strict_json import read_json
from jobmill.domain.errors import InvalidInput
from jobmill.entrypoints.cli.exits import WrongUse

#: More than any payload may have; a wrong file is not read to its end.
_READ_BYTES_MAX: Final = 1_048_576


def payload_given(text: str | None, file: str | None) -> object:
    """Return the payload of a new job as plain values; without any it is an empty object.

    Args:
        text: the JSON itself.
        file: where it stands instead; ``-`` is standard input.

    Raises:
        WrongUse: both are given, or the file cannot be read.
        InvalidInput: it is no JSON.
    """
    if file is None:
        return {} if text is None else read_payload(text.encode("utf-8", "surrogateescape"))
    if text is not None:
        raise WrongUse("give the payload as JSON or by --payload-file, not both")
    if file == "-":
        return read_payload(sys.stdin.buffer.read(_READ_BYTES_MAX))
    try:
        with Path(file).open("rb") as opened:
            return read_payload(opened.read(_READ_BYTES_MAX))
    except OSError as error:
        raise WrongUse(f"--payload-file: {error.strerror}: {file}") from None


def read_payload(raw: bytes) -> object:
    """Return plain values; raises ``InvalidInput`` that speaks of ``/payload``."""
    try:
        return read_json(raw)
    except InvalidInput as error:
        raise error.below("/payload") from None
