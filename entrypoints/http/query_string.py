"""Reading the query of a URL: known names, each said once unless it is a list, every fault told."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from litestar import Request

from jobmill.application.codec.strict_json import pointer_token
from jobmill.application.codec.submit_request import read_time
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.options import CONTROL, KEY_CHARS_MAX

PAIRS_MAX: Final = 50
CURSOR: Final = "cursor"
WAIT: Final = "wait"
WAIT_S_MAX: Final = 60
_SHOWN_CHARS: Final = 60
_CURSOR_CHARS: Final = 22
_WHOLE: Final = re.compile(r"[0-9]{1,9}")

T = TypeVar("T")


class Query:
    """The query of one request, and what was found wrong with it so far.

    Args:
        raw: as it stands in the URL.
        known: the names that the route understands; any other is a fault.
    """

    def __init__(self, raw: bytes, known: Collection[str]) -> None:
        self.faults: list[Fault] = []
        self._values: dict[str, list[str]] = {}
        for name, text in self._pairs(raw):
            if name not in known:
                hint = f"; known here: {', '.join(known)}" if known else ""
                self._refuse(name[:_SHOWN_CHARS], f"unknown query parameter{hint}")
            elif CONTROL.search(text):
                self._refuse(name, "must not hold line breaks or other control characters")
            elif not 1 <= len(text) <= KEY_CHARS_MAX:
                self._refuse(name, f"must have 1 to {KEY_CHARS_MAX} characters")
            else:
                self._values.setdefault(name, []).append(text)

    def one(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return the value, None if it is not given or faulty.

        Args:
            read: raises ``ValueError`` or ``TypeError`` with the rule that the text breaks.
        """
        texts = self._values.get(name, [])
        if len(texts) > 1:
            self._refuse(name, "is given more than once")
        elif texts:
            return self._read(name, texts[0], read)
        return None

    def many(self, name: str, read: Callable[[str], T]) -> frozenset[T]:
        """Return the values, given one by one or as a list with commas."""
        texts = [text for joined in self._values.get(name, []) for text in joined.split(",")]
        values = (self._read(name, text, read) for text in texts)
        return frozenset(value for value in values if value is not None)

    def check(self) -> None:
        """Raise ``InvalidInput`` with every fault found, if there is any."""
        if self.faults:
            raise InvalidInput(*self.faults)

    def _pairs(self, raw: bytes) -> Sequence[tuple[str, str]]:
        try:
            return parse_qsl(
                raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=PAIRS_MAX
            )
        except UnicodeDecodeError:
            self._refuse("", "the query must be UTF-8, percent-encoded")
        except ValueError:
            self._refuse("", f"the query must have at most {PAIRS_MAX} parameters")
        return ()

    def _read(self, name: str, text: str, read: Callable[[str], T]) -> T | None:
        try:
            return read(text)
        except (TypeError, ValueError) as error:
            self._refuse(name, f"{error}, not {text[:_SHOWN_CHARS]!r}")
            return None

    def _refuse(self, name: str, detail: str) -> None:
        self.faults.append(Fault(pointer=pointer_token(name) if name else "", detail=detail))


def no_query(request: Request[Any, Any, Any]) -> None:
    """Raise ``InvalidInput`` if the URL has a query, on a route that takes none."""
    if raw := request.scope["query_string"]:
        Query(raw, ()).check()


def wait_of(request: Request[Any, Any, Any]) -> int:
    """Return how many seconds the answer may wait for the job to be finished, 0 by default."""
    query = Query(request.scope["query_string"], (WAIT,))
    wait_s = query.one(WAIT, whole(0, WAIT_S_MAX))
    query.check()
    return wait_s or 0


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from ``low`` to ``high``."""

    def read(text: str) -> int:
        if _WHOLE.fullmatch(text) and low <= (number := int(text)) <= high:
            return number
        raise ValueError(f"must be a whole number from {low} to {high}")

    return read


def choice(choices: Mapping[str, T]) -> Callable[[str], T]:
    """Return a reader of one of several words."""

    def read(text: str) -> T:
        if text in choices:
            return choices[text]
        raise ValueError("must be one of " + ", ".join(choices))

    return read


def time(text: str) -> Any:  # noqa: ANN401 - a datetime; see read_time
    """Return an RFC 3339 time."""
    try:
        return read_time(text)
    except TypeError as error:
        hint = "; write the + of a zone as %2B" if " " in text else ""
        raise ValueError(f"{error}{hint}") from None


def read_cursor(text: str) -> UUID:
    """Return the id that a cursor stands for; raises ``ValueError``."""
    try:
        raw = urlsafe_b64decode(text + "==")
    except (NotBase64, ValueError):
        raw = b""
    if (
        len(text) != _CURSOR_CHARS
        or len(raw) != len(UUID(int=0).bytes)
        or write_cursor(UUID(bytes=raw)) != text
    ):
        raise ValueError("must be a cursor from the header Link of an earlier page")
    return UUID(bytes=raw)


def write_cursor(after: UUID) -> str:
    """Return the text that stands for a place in a list; its inside is nobody's business."""
    return urlsafe_b64encode(after.bytes).rstrip(b"=").decode()


def link_to_next(request: Request[Any, Any, Any], after: UUID) -> str:
    """Return the header ``Link`` (RFC 8288) to the page that follows on this one."""
    raw = request.scope["query_string"].decode("ascii")
    kept = [(name, text) for name, text in parse_qsl(raw, keep_blank_values=True) if name != CURSOR]
    path = request.scope.get("root_path", "") + request.scope["path"]
    return f'<{path}?{urlencode([*kept, (CURSOR, write_cursor(after))])}>; rel="next"'
