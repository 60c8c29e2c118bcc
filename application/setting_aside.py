"""Keeping what strangers sent and nobody understands, so that any database takes it."""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from jobmill.application.errors import StorageRefused
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.message_bus import Delivery
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.quarantine import ForeignMessage, Quarantine

#: Of a foreign message: what a parcel of ours could have at most. More is no use to a person who looks at it.
KEPT_BYTES_MAX: Final = 256 * 1024
#: Of the reason: a message may have a thousand faults, and a person mends them a few at a time.
REASON_CHARS_MAX: Final = 2_000


@frozen(kw_only=True)
class SettingAside:
    """Puts messages into quarantine."""

    quarantine: Quarantine
    clock: Clock
    entropy: Entropy
    observer: Observer

    def letter(self, body: bytes, reason: str, *, delivery: Delivery, source: str) -> ForeignMessage:
        """Make the entry for a message, or for a part of one.

        Args:
            delivery: what it came in.
            source: where that came from.
        """
        if len(reason) > REASON_CHARS_MAX:
            reason = f"{reason[:REASON_CHARS_MAX]} …"
        if len(body) > KEPT_BYTES_MAX:
            reason = f"{reason} (of its {len(body):,} bytes the first {KEPT_BYTES_MAX:,} are kept)"
        return ForeignMessage(
            id=self.entropy.job_id(),
            received_at=self.clock.now(),
            source=source,
            reason=_storable(reason),
            content_type=None if delivery.content_type is None else _storable(delivery.content_type),
            headers=_texts(delivery.headers),
            body=body[:KEPT_BYTES_MAX],
        )

    async def keep(self, letters: Sequence[ForeignMessage]) -> None:
        """Store entries and say so; repeating it with the same ones is harmless.

        Raises:
            Unavailable: the store is away; they may be stored or not.
        """
        try:
            await self.quarantine.keep(letters)
        except StorageRefused as error:  # the headers, since a body may hold anything
            dropped = f"headers dropped: {error}"
            await self.quarantine.keep(
                [
                    evolve(each, reason=f"{each.reason} ({dropped})", content_type=None, headers={})
                    for each in letters
                ]
            )
        for each in letters:
            self.observer.noted(
                "message quarantined", message_id=each.id, source=each.source, reason=each.reason
            )


def _texts(headers: Mapping[str, str]) -> dict[str, str]:
    return {_storable(name): _storable(text) for name, text in headers.items()}


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")
