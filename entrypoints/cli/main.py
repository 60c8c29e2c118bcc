"""The console script: run a command, and turn whatever stops it into a line and an exit code."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn

from jobmill.entrypoints import collecting
from jobmill.entrypoints.cli.exits import Exit, WrongUse, ending_of

_DEBUG: Final = "--debug"
_LOG: Final = "JOBMILL_LOG"


def main() -> NoReturn:
    """Run the command line of this process."""
    collecting.make_room()
    code = run(sys.argv[1:])
    collecting.leave()
    sys.exit(code)


def run(tokens: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Args:
        tokens: the command line without the program's name. ``--debug`` may stand anywhere in it.
    """
    with _debugging(_DEBUG in tokens):
        try:
            return _run([token for token in tokens if token != _DEBUG])
        except KeyboardInterrupt:
            return Exit.INTERRUPTED
        except BrokenPipeError:
            return _closed_pipe()
        except Exception as error:  # noqa: BLE001 - the outermost edge: whatever comes here ends the process
            return _tell(error)


@contextmanager
def _debugging(asked: bool) -> Iterator[None]:
    """The option is the setting by another name, for as long as the command runs."""
    before = os.environ.get(_LOG)
    if asked:
        os.environ[_LOG] = "debug"
    yield
    if asked:
        os.environ.pop(_LOG)
        os.environ.update({} if before is None else {_LOG: before})


def _run(tokens: Sequence[str]) -> int:
    _check_utf8(tokens)
    if list(tokens) in (["--version"], ["version"]):
        from jobmill.entrypoints.cli.version import version

        version()
        return Exit.DONE
    from cyclopts import CycloptsError

    from jobmill.entrypoints.cli.app import build_app

    try:
        result = build_app()(tokens, print_error=False, exit_on_error=False, result_action="return_value")
    except CycloptsError as error:
        error.verbose = False
        command = " ".join(["jobmill", *(error.command_chain or ())])
        _complain([str(error), f"see {command} --help"])
        return Exit.WRONG_USE
    return result if isinstance(result, int) else Exit.DONE


def _check_utf8(tokens: Sequence[str]) -> None:
    """Bytes that are no UTF-8 come as halves of pairs, which no database and no terminal takes."""
    for place, token in enumerate(tokens, start=1):
        try:
            token.encode()
        except UnicodeEncodeError:
            raise WrongUse(f"argument {place} is not UTF-8: {token[:40]!a}") from None


def _tell(error: Exception) -> int:
    if os.environ.get(_LOG) == "debug":
        import traceback

        traceback.print_exception(error)
    ending = ending_of(error)
    _complain(ending.lines)
    return ending.code


def _complain(lines: Sequence[str]) -> None:
    from jobmill.entrypoints.cli.screen import Screen

    screen = Screen()
    for line in lines:
        screen.note(f"jobmill: {line}")


def _closed_pipe() -> int:
    """The reader had enough, as ``head`` does; nothing more may be written, not even at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.REFUSED
