"""Texts about all known types, written anew only when those change."""

from collections.abc import Callable

from jobmill.application.handlers import Registry


class WrittenFor:
    """Keeps a text for as long as the types that it is about stay the same."""

    def __init__(self, write: Callable[[Registry], bytes]) -> None:
        self._write = write
        self._about: tuple[object, ...] | None = None
        self._text = b""

    def text(self, registry: Registry) -> bytes:
        """Return the text about the types that are known now."""
        about = registry.known
        if self._about is None or about != self._about:
            self._text = self._write(registry)
            self._about = about
        return self._text
