"""What is logged in a child, brought to the worker's own log."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from jobmill.adapters.processes.frames import Frame

#: Longer lines are cut.
LINE_CHARS_MAX: Final = 16 * 1024


class _Forwarding(logging.Handler):
    def __init__(self, say: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info:
                text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
            self._say({"log": text[:LINE_CHARS_MAX], "logger": record.name, "level": record.levelno})
        except Exception:  # noqa: BLE001 - as every handler of the standard library
            self.handleError(record)


def forward_logs(say: Callable[[Mapping[str, Any]], None]) -> None:
    """Send all records of this process to the worker, and to nobody else."""
    logging.getLogger().handlers[:] = [_Forwarding(say)]


def log_from_child(frame: Frame, about: Mapping[str, object]) -> None:
    """Log in the worker what a child said.

    Args:
        about: the fields of its job.
    """
    logger = logging.getLogger(str(frame["logger"]))
    if logger.isEnabledFor(int(frame["level"])):
        logger.log(int(frame["level"]), "%s", frame["log"], extra=dict(about))
