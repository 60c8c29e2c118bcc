"""Logging of a process: short lines for a person, or one JSON object a line for machines."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

from jobmill.application.handlers.log_fields import SHOWN
from jobmill.application.log_line import pairs

#: The attributes that every record has; what else stands in one came as ``extra``.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "event", SHOWN}
#: Libraries whose daily business is of no interest, whatever level is asked for.
_CHATTY: Final = (
    "aiosqlite",
    "alembic",
    "asyncio",
    "litestar",
    "pamqp",
    "sqlalchemy",
    "uvicorn",
    "watchfiles",
)


class ConsoleFormat(logging.Formatter):
    """``14:33:05 INFO    started job_id=… type=email attempt=1``, in the machine's own time zone."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the line; behind what a handler says stand the fields of its payload that its type names."""
        line = super().formatMessage(record)
        names = getattr(record, SHOWN, ())
        return f"{line} {pairs({name: getattr(record, name) for name in names})}" if names else line


class JsonFormat(logging.Formatter):
    """One object a line: time in UTC, level, logger, message, the fields of ``extra``, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            # The fields of an event stand beside it, so its message need not repeat them.
            "message": getattr(record, "event", None) or record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN and name not in line}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return json.dumps(line, default=str, ensure_ascii=False)


_FORMATS: Final[Mapping[str, type[logging.Formatter]]] = {"console": ConsoleFormat, "json": JsonFormat}


def set_up_logging(level: str, form: str | None, *, stream: TextIO | None = None) -> None:
    """Send everything that is logged to standard error, and nothing to any handler set up before.

    Args:
        level: debug, info, warning or error.
        form: console or json; None is console on a terminal, else json.
        stream: instead of standard error.
    """
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_FORMATS[form or ("console" if stream.isatty() else "json")]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # What it calls an error, such as an address without an answer, our own connections say in one line.
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
